// A page of the portal over all components, for those who run the platform.
import { useLocation } from "react-router-dom";
import { Frame } from "./frame";
import { BackstageHost } from "./host";
import { TAB_PATH } from "./links";
import { Allowed } from "./permission";
import { PAGE_TABS, pagesOf } from "./views";
import { Notice, type Part } from "@callboard/ui";

const PAGES = pagesOf(PAGE_TABS);
const SCOPE: readonly Part[] = ["ns", "project", "env"];

export function CallboardPage() {
    const { pathname } = useLocation();
    return (
        <Allowed
            otherwise={
                <Notice kind="refused" title="You may not see this">
                    It needs the permission callboard.read.
                </Notice>
            }
        >
            <BackstageHost
                pages={PAGES}
                path={pathname}
                tabPath={TAB_PATH}
                className="cb-tab-root cb-page-root"
            >
                <Frame tabs={PAGE_TABS} scope={SCOPE} />
            </BackstageHost>
        </Allowed>
    );
}
