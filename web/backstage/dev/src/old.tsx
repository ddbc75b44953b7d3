// What an app of the old frontend system imports, in an app of the new one.
import { convertLegacyPageExtension, convertLegacyPlugin } from "@backstage/core-compat-api";
import {
    convertLegacyEntityCardExtension,
    convertLegacyEntityContentExtension,
} from "@backstage/plugin-catalog-react/alpha";
import {
    CallboardPage,
    callboardPlugin,
    EntityCallboardCauseCard,
    EntityCallboardContent,
    EntityCallboardErrorsCard,
    EntityCallboardHealthCard,
    isCallboardAvailable,
} from "@callboard/backstage-plugin";
import { start } from "./app";

const card = { filter: isCallboardAvailable };
start(
    convertLegacyPlugin(callboardPlugin, {
        extensions: [
            convertLegacyPageExtension(CallboardPage, { path: "/callboard" }),
            convertLegacyEntityContentExtension(EntityCallboardContent, {
                path: "/callboard",
                title: "Callboard",
            }),
            convertLegacyEntityCardExtension(EntityCallboardCauseCard, { name: "cause", ...card }),
            convertLegacyEntityCardExtension(EntityCallboardHealthCard, { name: "health", ...card }),
            convertLegacyEntityCardExtension(EntityCallboardErrorsCard, { name: "errors", ...card }),
        ],
    }),
);
