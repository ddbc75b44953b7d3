// The plugin of the new frontend system.
import callboardPlugin from "@callboard/backstage-plugin/alpha";
import { start } from "./app";

start(callboardPlugin);
