// The head of the page: pages, search, scope, time, live.
import { Menu, Moon, Search as SearchIcon, Share2, Sun } from "lucide-react";
import {
    CopyButton,
    LiveSwitch,
    PageLink,
    rfc3339,
    ScopePickers,
    TimePicker,
    usePlace,
    useTimeRange,
    withParams,
    type Live,
    type Part,
} from "@callboard/ui";
import { useQueryClient } from "@tanstack/react-query";
import { addressOf } from "./address_bar";
import { PAGES } from "./pages";
import { switchTheme, useTheme } from "./theme";
import { storeToken, useToken } from "./token";

export type Opened = "search" | "help" | "time" | "menu" | Part | undefined;

// The address with absolute times: what is seen now is what the other one sees.
function Share() {
    const { page, params, section } = usePlace();
    const range = useTimeRange();
    const text = () => {
        const fixed = withParams(params, {
            from: rfc3339(range.start),
            to: rfc3339(range.end),
            live: undefined,
        });
        return new URL(addressOf(page, fixed, section), window.location.href).href;
    };
    return (
        <CopyButton
            text={text}
            label={
                <>
                    <Share2 size={14} aria-label="Share" /> <span className="cb-share-text">Share</span>
                </>
            }
            title="Copies the address, with these times"
        />
    );
}

function Pages() {
    const { page, params } = usePlace();
    const shown = PAGES.filter(
        ({ name, listed }) => listed && (name !== "component" || params.component || page === name),
    );
    return (
        <nav aria-label="Pages" className="cb-nav">
            {shown.map(({ name, title }) => (
                <PageLink
                    key={name}
                    page={name}
                    className={name === page ? "cb-nav-link cb-nav-here" : "cb-nav-link"}
                    current={name === page}
                    // The overview is of all projects, the project of all components.
                    params={
                        name === "overview"
                            ? { project: undefined, component: undefined }
                            : name === "project"
                              ? { component: undefined }
                              : undefined
                    }
                >
                    {title}
                </PageLink>
            ))}
        </nav>
    );
}

function ThemeSwitch() {
    const theme = useTheme();
    const Icon = theme === "dark" ? Sun : Moon;
    const text = theme === "dark" ? "Light colours" : "Dark colours";
    return (
        <button type="button" className="cb-icon-button" aria-label={text} title={text} onClick={switchTheme}>
            <Icon size={16} aria-hidden="true" />
        </button>
    );
}

function SignOut() {
    const token = useToken();
    const queries = useQueryClient();
    if (!token) return null;
    return (
        <button
            type="button"
            className="cb-button"
            onClick={() => {
                storeToken(undefined);
                // Nothing that the token has shown stays; what is in view is asked without it.
                void queries.resetQueries();
            }}
        >
            Sign out
        </button>
    );
}

export function Header(props: { live: Live; opened: Opened; onOpen: (opened: Opened) => void }) {
    const { live, opened, onOpen } = props;
    const toggle = (what: Opened) => (open: boolean) => onOpen(open ? what : undefined);
    return (
        <header className={"cb-top" + (opened === "menu" ? " cb-top-menu" : "")}>
            <div className="cb-top-row">
                <button
                    type="button"
                    className="cb-icon-button cb-menu-button"
                    aria-expanded={opened === "menu"}
                    aria-label="Pages"
                    onClick={() => onOpen(opened === "menu" ? undefined : "menu")}
                >
                    <Menu size={18} aria-hidden="true" />
                </button>
                <PageLink
                    page="overview"
                    className="cb-brand"
                    params={{ project: undefined, component: undefined }}
                >
                    Callboard
                </PageLink>
                <Pages />
                <span className="cb-top-end">
                    <button
                        type="button"
                        className="cb-search-button"
                        onClick={() => onOpen("search")}
                        aria-label="Search"
                    >
                        <SearchIcon size={14} aria-hidden="true" />
                        <span className="cb-search-text">Search</span> <kbd aria-hidden="true">/</kbd>
                    </button>
                    <ThemeSwitch />
                    <button
                        type="button"
                        className="cb-icon-button cb-help-button"
                        aria-label="Keys"
                        title="Keys ( ? )"
                        onClick={() => onOpen("help")}
                    >
                        ?
                    </button>
                    <SignOut />
                </span>
            </div>
            <div className="cb-top-row cb-top-scope">
                <ScopePickers
                    open={
                        opened === "ns" || opened === "project" || opened === "component" || opened === "env"
                            ? opened
                            : undefined
                    }
                    onOpen={onOpen}
                />
                <span className="cb-top-end">
                    <TimePicker open={opened === "time"} onOpen={toggle("time")} />
                    <LiveSwitch live={live} />
                    <Share />
                </span>
            </div>
        </header>
    );
}
