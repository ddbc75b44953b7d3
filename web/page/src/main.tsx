import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "@callboard/ui";
import "@callboard/ui/styles.css";
import "./page.css";
import { Shell } from "./shell";
import { applyTheme } from "./theme";

applyTheme();

createRoot(document.getElementById("callboard")!).render(
    <QueryClientProvider client={makeQueryClient()}>
        <Shell />
    </QueryClientProvider>,
);
