// Whose data is shown: namespace, project, component, environment.
import { withParams, type Params } from "../address";
import { shownName } from "../format";
import { useHost, usePlace, type PageName } from "../host";
import { distinct, useNames, type KnownComponent } from "../names";
import { useScope } from "../scope";
import { OptionList, type Option } from "./option_list";
import { Popup } from "./popup";

export type Part = "ns" | "project" | "component" | "env";

const ALL = "\u0000all";
const WORDS: Record<Part, [one: string, all: string]> = {
    ns: ["Namespace", "all namespaces"],
    project: ["Project", "all projects"],
    component: ["Component", "all components"],
    env: ["Environment", "all environments"],
};

// What there is to choose, given what is chosen before it.
function valuesOf(part: Part, names: readonly KnownComponent[], params: Params): string[] {
    const fits = names.filter(
        (name) =>
            (part === "ns" || !params.ns || name.namespace === params.ns) &&
            (part === "ns" || part === "project" || !params.project || name.project === params.project) &&
            (part !== "env" || !params.component || name.component === params.component),
    );
    const members = {
        ns: "namespace",
        project: "project",
        component: "component",
        env: "environment",
    } as const;
    return distinct(fits.map((name) => name[members[part]]));
}

// The parameters after a choice: what lies below it is chosen anew, what lies
// above it follows where it is the only one.
export function chosenParams(
    part: Part,
    value: string | undefined,
    names: readonly KnownComponent[],
    params: Params,
): Params {
    if (part === "env") return withParams(params, { env: value });
    if (part === "ns")
        return withParams(params, { ns: value, project: undefined, component: undefined, env: undefined });
    const owner = names.find(
        (name) =>
            name[part] === value &&
            (!params.ns || name.namespace === params.ns) &&
            (part === "project" || !params.project || name.project === params.project),
    );
    const ns = value === undefined ? params.ns : (owner?.namespace ?? params.ns);
    if (part === "project") return withParams(params, { ns, project: value, component: undefined });
    const project = value === undefined ? params.project : (owner?.project ?? params.project);
    return withParams(params, { ns, project, component: value });
}

// The page that shows what was chosen: lists of records stay, a page about one
// thing becomes that of the other.
export function pageFor(page: PageName, params: Params): PageName {
    if (page === "overview" && params.component) return "component";
    if (page === "overview" && params.project) return "project";
    if (page === "project") return params.component ? "component" : params.project ? "project" : "overview";
    if (page === "component") return params.component ? "component" : params.project ? "project" : "overview";
    return page;
}

const PAGE_PARAMS: readonly string[] = ["ns", "project", "component", "env", "from", "to", "live", "cmp"];

export function ScopePicker(props: { part: Part; open: boolean; onOpen: (open: boolean) => void }) {
    const { part, open, onOpen } = props;
    const host = useHost();
    const { page, params } = usePlace();
    const names = useNames(open);
    const [word, all] = WORDS[part];
    const value = params[part];
    const known = names.data ?? [];
    const values = valuesOf(part, known, params);
    // The one that the address has may have sent nothing yet.
    const listed = value !== undefined && !values.includes(value) ? [value, ...values] : values;
    const options: Option[] = [
        { value: ALL, text: all },
        ...listed.map((each) => ({ value: each, text: each })),
    ];
    const choose = (option: Option) => {
        onOpen(false);
        const next = chosenParams(part, option.value === ALL ? undefined : option.value, known, params);
        const target = pageFor(page, next);
        const kept =
            target === page && part === "env"
                ? next
                : Object.fromEntries(Object.entries(next).filter(([name]) => PAGE_PARAMS.includes(name)));
        host.go(target, kept);
    };
    return (
        <Popup
            label={`${word}: ${value === undefined ? all : shownName(value)}`}
            title={value === undefined ? word : `${word}: ${shownName(value)}`}
            role="listbox"
            buttonClass={"cb-scope" + (value === undefined ? " cb-scope-all" : "")}
            button={
                <>
                    <bdi>{value === undefined ? all : shownName(value)}</bdi>{" "}
                    <span aria-hidden="true">▾</span>
                </>
            }
            open={open}
            onOpen={onOpen}
        >
            <OptionList
                label={word}
                options={options}
                selected={value ?? ALL}
                onChoose={choose}
                placeholder={`Find ${word.toLowerCase()}`}
                none={
                    names.isLoading ? "Loading …" : names.error ? names.error.message : "None has this name."
                }
            />
        </Popup>
    );
}

const PARTS: readonly Part[] = ["ns", "project", "component", "env"];

export function ScopePickers(props: { open?: Part; onOpen: (part: Part | undefined) => void }) {
    const scope = useScope();
    // A component is chosen within a project.
    const shown = PARTS.filter((part) => part !== "component" || scope.project || scope.component);
    return (
        <span className="cb-scopes" role="group" aria-label="Scope">
            {shown.map((part, i) => (
                <span key={part} className="cb-scope-part">
                    {i > 0 ? (
                        <span className="cb-scope-slash" aria-hidden="true">
                            {part === "env" ? "·" : "/"}
                        </span>
                    ) : null}
                    <ScopePicker
                        part={part}
                        open={props.open === part}
                        onOpen={(open) => props.onOpen(open ? part : undefined)}
                    />
                </span>
            ))}
        </span>
    );
}
