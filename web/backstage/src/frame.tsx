// What stands around a view in the tab and on the page: sub-tabs, environment,
// time, live, and what is said when nothing answers.
import { useApi } from "@backstage/core-plugin-api";
import {
    Boundary,
    Gone,
    LiveSwitch,
    Loading,
    PageLink,
    ScopePicker,
    TimePicker,
    useLive,
    usePlace,
    type Part,
} from "@callboard/ui";
import { Suspense, useEffect, useState, type ReactNode } from "react";
import { callboardApiRef } from "./api";
import { wayOf } from "./client";
import { VIEWS, type SubTab } from "./views";

function SubTabs({ tabs }: { tabs: readonly SubTab[] }) {
    const { page } = usePlace();
    return (
        <nav className="cb-subtabs" aria-label="Callboard">
            {tabs
                .filter((tab) => !tab.hidden || tab.page === page)
                .map((tab) => (
                    <PageLink
                        key={tab.page}
                        page={tab.page}
                        className={tab.page === page ? "cb-subtab cb-subtab-here" : "cb-subtab"}
                        current={tab.page === page}
                        params={tab.params}
                    >
                        {tab.title}
                    </PageLink>
                ))}
        </nav>
    );
}

type Opened = "time" | Part | undefined;

function Pickers({ scope }: { scope: readonly Part[] }) {
    const [opened, setOpened] = useState<Opened>();
    const { page } = usePlace();
    const live = useLive();
    useEffect(() => setOpened(undefined), [page]);
    const on = (what: Opened) => (open: boolean) => setOpened(open ? what : undefined);
    return (
        <span className="cb-tab-pickers">
            {scope.map((part) => (
                <ScopePicker key={part} part={part} open={opened === part} onOpen={on(part)} />
            ))}
            <TimePicker open={opened === "time"} onOpen={on("time")} />
            <LiveSwitch live={live} />
        </span>
    );
}

export function Frame(props: { tabs: readonly SubTab[]; scope: readonly Part[]; children?: ReactNode }) {
    const { connection } = wayOf(useApi(callboardApiRef));
    const { gone } = connection.useConnection();
    connection.useAskWhenBack();
    const place = usePlace();
    const View = VIEWS[place.page];
    return (
        <>
            {props.children}
            <div className="cb-tab-top">
                <SubTabs tabs={props.tabs} />
                <Pickers scope={props.scope} />
            </div>
            {gone ? <Gone /> : null}
            <Boundary of={JSON.stringify(place)}>
                <Suspense fallback={<Loading height={640} rows={4} />}>{View ? <View /> : null}</Suspense>
            </Boundary>
        </>
    );
}
