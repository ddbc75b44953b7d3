// The answers of all tabs and cards; apart from a portal's own react-query.
import { makeQueryClient } from "@callboard/ui";

export const queryClient = makeQueryClient();
