// What stands around each view: the head, keys, search, and what is said when
// Callboard does not answer or wants a token.
import { Suspense, useEffect, useMemo, useRef, useState } from "react";
import {
    Boundary,
    Gone,
    HostProvider,
    keptParams,
    shownName,
    useHost,
    useLive,
    usePlace,
    useTimeSteps,
    type Place,
} from "@callboard/ui";
import { useAddressBar } from "./address_bar";
import { useAskWhenBack, useConnection } from "./connection";
import { Header, type Opened } from "./header";
import { Help } from "./help";
import { host } from "./host";
import { useKeys, type Key } from "./keys";
import { pageOf, PAGES } from "./pages";
import { Search } from "./search";
import SignIn from "./sign_in";

function titleOf({ page, params }: Place): string {
    const about = page === "component" || page === "logs" || page === "traces" ? params.component : undefined;
    const within = page === "overview" ? params.ns : (about ?? params.project);
    return [within && shownName(within).slice(0, 60), pageOf(page).title, "Callboard"]
        .filter(Boolean)
        .join(" – ");
}

// The title; the focus on what is new when the page is another one; the section of the address.
function useArrival(place: Place) {
    const main = useRef<HTMLElement>(null);
    const title = titleOf(place);
    const before = useRef(place.page);
    useEffect(() => {
        document.title = title;
    }, [title]);
    useEffect(() => {
        if (before.current === place.page) return;
        before.current = place.page;
        main.current?.focus({ preventScroll: true });
    }, [place.page]);
    useEffect(() => {
        const id = place.section;
        if (!id) return;
        const show = () => {
            const element = document.getElementById(id);
            element?.scrollIntoView();
            return element !== null;
        };
        if (show()) return;
        // The section comes with its data.
        const observer = new MutationObserver(() => show() && observer.disconnect());
        observer.observe(main.current!, { childList: true, subtree: true });
        const end = setTimeout(() => observer.disconnect(), 10_000);
        return () => {
            observer.disconnect();
            clearTimeout(end);
        };
    }, [place.section, place.page]);
    return main;
}

function focusFirstRow(): void {
    document
        .querySelector<HTMLElement>('main [role="row"][tabindex="0"], main [role="treegrid"][tabindex="0"]')
        ?.focus();
}

function usePageKeys(open: (opened: Opened) => void, toggleLive: () => void): Key[] {
    const { go } = useHost();
    const { params } = usePlace();
    const steps = useTimeSteps();
    return [
        { keys: "/, Ctrl-K", text: "Search", run: () => open("search") },
        ...PAGES.filter((page) => page.key).map((page) => ({
            keys: `g ${page.key}`,
            text: page.title,
            run: () => {
                if (page.name === "component" && !params.component) open("search");
                else go(page.name, keptParams(params));
            },
        })),
        { keys: "t", text: "Choose the time", run: () => open("time") },
        { keys: "e", text: "Choose the environment", run: () => open("env") },
        { keys: ".", text: "Live, or not", run: toggleLive },
        { keys: "[", text: "Earlier", run: steps.earlier },
        { keys: "]", text: "Later", run: steps.later },
        { keys: "z", text: "Zoom out: twice the time", run: steps.out },
        { keys: "j, k", text: "Next row, row before", run: focusFirstRow },
        { keys: "Enter", text: "Open the row" },
        { keys: "← →", text: "In a chart: move the crosshair; with Shift: choose a time, Enter takes it" },
        { keys: "v", text: "In a chart: logs and traces of that minute" },
        { keys: "Esc", text: "Close what is open" },
        { keys: "?", text: "This list", run: () => open("help") },
    ];
}

function Page({ place }: { place: Place }) {
    const [opened, setOpened] = useState<Opened>();
    const live = useLive();
    const { gone, refused } = useConnection();
    const main = useArrival(place);
    const keys = usePageKeys(setOpened, () => live.possible && live.toggle());
    useKeys(keys, opened !== "search" && opened !== "help");
    useEffect(() => setOpened(undefined), [place.page]);
    useAskWhenBack();
    const { view: View, title } = pageOf(place.page);
    const of = useMemo(() => JSON.stringify(place), [place]);
    return (
        <div className="cb-shell cb-root">
            <a
                className="cb-skip"
                href="#main"
                onClick={(event) => {
                    event.preventDefault();
                    main.current?.focus();
                }}
            >
                Skip to the content
            </a>
            <Header live={live} opened={opened} onOpen={setOpened} />
            {gone ? <Gone /> : null}
            <main ref={main} id="main" tabIndex={-1} aria-label={title}>
                <Boundary of={of}>
                    <Suspense fallback={null}>{refused ? <SignIn /> : <View />}</Suspense>
                </Boundary>
            </main>
            {opened === "search" ? <Search onClose={() => setOpened(undefined)} /> : null}
            {opened === "help" ? <Help keys={keys} onClose={() => setOpened(undefined)} /> : null}
        </div>
    );
}

export function Shell() {
    const place = useAddressBar();
    return (
        <HostProvider host={host} place={place}>
            <Page place={place} />
        </HostProvider>
    );
}
