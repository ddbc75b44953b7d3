// The tab on the page of a Component or System.
import { MissingAnnotationEmptyState, useEntity } from "@backstage/plugin-catalog-react";
import { PageLink, usePlace, type PageName } from "@callboard/ui";
import { Suspense, useState } from "react";
import { BackstageHost } from "./host";
import { proposedAnnotation, targetsOf, type Target } from "./target";
import { COMPONENT_TABS, PROJECT_TABS, VIEWS, type SubTab } from "./views";
import "./styles";

function TabBody(props: { tabs: readonly SubTab[] }) {
    const { page } = usePlace();
    const View = VIEWS[page];
    return (
        <>
            <nav className="cb-tabs" aria-label="Callboard">
                {props.tabs
                    .filter((tab) => !tab.hidden || tab.page === page)
                    .map((tab) => (
                        <PageLink
                            key={tab.page}
                            page={tab.page}
                            className={tab.page === page ? "cb-tab cb-tab-current" : "cb-tab"}
                        >
                            {tab.title}
                        </PageLink>
                    ))}
            </nav>
            <Suspense fallback={null}>{View ? <View /> : null}</Suspense>
        </>
    );
}

function TargetPicker(props: { targets: readonly Target[]; at: number; pick: (at: number) => void }) {
    return (
        <label className="cb-target-picker">
            Component{" "}
            <select value={props.at} onChange={(event) => props.pick(Number(event.target.value))}>
                {props.targets.map((target, index) => (
                    <option key={index} value={index}>
                        {target.component ? `${target.project} / ${target.component}` : target.project}
                    </option>
                ))}
            </select>
        </label>
    );
}

const pagesOf = (tabs: readonly SubTab[]): readonly PageName[] => tabs.map((tab) => tab.page);
const COMPONENT_PAGES = pagesOf(COMPONENT_TABS);
const PROJECT_PAGES = pagesOf(PROJECT_TABS);

export function EntityCallboardContent() {
    const { entity } = useEntity();
    const [at, pick] = useState(0);
    const targets = targetsOf(entity);
    const target = targets[Math.min(at, targets.length - 1)];
    if (!target) {
        const { name, value } = proposedAnnotation(entity);
        return <MissingAnnotationEmptyState annotation={name} readMoreUrl={`#${name}: ${value}`} />;
    }
    const tabs = target.component ? COMPONENT_TABS : PROJECT_TABS;
    return (
        <BackstageHost
            target={target}
            first={tabs[0]!.page}
            pages={target.component ? COMPONENT_PAGES : PROJECT_PAGES}
        >
            {targets.length > 1 ? <TargetPicker targets={targets} at={at} pick={pick} /> : null}
            <TabBody tabs={tabs} />
        </BackstageHost>
    );
}
