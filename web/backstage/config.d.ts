export interface Config {
    callboard?: {
        /**
         * Callboard's query port as browsers reach it, "https://callboard.example.com". Browsers
         * then ask it directly, not through the proxy: it needs --cors-origins with the portal's origin.
         * @visibility frontend
         */
        directUrl?: string;
        /**
         * Where people open Callboard's own page, without "/ui". Components without an entity
         * are linked to it.
         * @visibility frontend
         */
        pageUrl?: string;
        /**
         * Tab, cards and page are shown to those only who have the permission callboard.read.
         * @visibility frontend
         */
        permission?: boolean;
    };
}
