// The search: pages, projects, components by name; traces and reports by their id.
import {
    Dialog,
    distinct,
    keptParams,
    OptionList,
    useHost,
    useNames,
    usePlace,
    type KnownComponent,
    type Option,
    type PageName,
    type Params,
} from "@callboard/ui";
import { addressOf } from "./address_bar";
import { PAGES } from "./pages";

interface Target extends Option {
    page: PageName;
    params: Params;
}

const kind = (text: string) => <span className="cb-option-kind">{text}</span>;

function targetsOf(names: readonly KnownComponent[], kept: Params): Target[] {
    const time = Object.fromEntries(
        Object.entries(kept).filter(([name]) => ["from", "to", "live", "cmp", "env"].includes(name)),
    );
    const projects = new Map(names.map((name) => [`${name.namespace}\u0000${name.project}`, name]));
    const components = new Map(
        names.map((name) => [`${name.namespace}\u0000${name.project}\u0000${name.component}`, name]),
    );
    const several = distinct(names.map((name) => name.namespace)).length > 1;
    return [
        ...[...components].map(([key, { namespace, project, component }]) => ({
            value: `c${key}`,
            text: component,
            note: several ? `${namespace} / ${project}` : project,
            mark: kind("component"),
            page: "component" as const,
            params: { ...time, ns: namespace, project, component },
        })),
        ...[...projects].map(([key, { namespace, project }]) => ({
            value: `p${key}`,
            text: project,
            note: several ? namespace : undefined,
            mark: kind("project"),
            page: "project" as const,
            params: { ...time, ns: namespace, project },
        })),
        ...PAGES.filter((page) => page.listed).map(({ name, title }) => ({
            value: `g${name}`,
            text: title,
            mark: kind("page"),
            page: name,
            params: kept,
        })),
    ];
}

// What is typed may itself be an id, an operation or words of a log line.
export function typedTargets(typed: string, kept: Params): Target[] {
    if (typed === "") return [];
    const targets: Target[] = [];
    if (/^[0-9a-f]{32}$/i.test(typed))
        targets.push({
            value: "trace",
            text: typed.toLowerCase(),
            mark: kind("trace"),
            page: "trace",
            params: { ...kept, id: typed.toLowerCase() },
        });
    if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(typed) || /^rca-/i.test(typed))
        targets.push({
            value: "report",
            text: typed,
            mark: kind("report"),
            page: "report",
            params: { ...kept, id: typed },
        });
    return targets;
}

function typedSearches(typed: string, kept: Params): Target[] {
    if (typed.length < 2) return [];
    return [
        {
            value: "op",
            text: typed,
            mark: kind("traces of operation"),
            page: "traces",
            params: { ...kept, op: typed },
        },
        {
            value: "log",
            text: typed,
            mark: kind("log lines with"),
            page: "logs",
            params: { ...kept, q: typed },
        },
    ];
}

export function Search(props: { onClose: () => void }) {
    const host = useHost();
    const { params } = usePlace();
    const kept = keptParams(params);
    const names = useNames(true);
    const targets = targetsOf(names.data ?? [], kept);
    const choose = (option: Option, how: { newTab: boolean }) => {
        const { page, params: to } = option as Target;
        props.onClose();
        if (how.newTab) window.open(addressOf(page, to), "_blank", "noopener");
        else host.go(page, to);
    };
    return (
        <Dialog label="Search" className="cb-search" onClose={props.onClose}>
            <OptionList
                label="Search components, projects, pages, ids"
                placeholder="Component, project, page, trace id, report id …"
                options={targets}
                onChoose={choose}
                extra={(typed) => typedTargets(typed, kept)}
                after={(typed) => typedSearches(typed, kept)}
                none={names.isLoading ? "Loading …" : "Nothing has this name."}
            />
        </Dialog>
    );
}
