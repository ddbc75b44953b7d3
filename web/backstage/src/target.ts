// Which component or project of Callboard an entity of the catalogue stands for.
import type { Entity } from "@backstage/catalog-model";

export const COMPONENT_ANNOTATION = "callboard.dev/component";
export const PROJECT_ANNOTATION = "callboard.dev/project";
export const ENVIRONMENT_ANNOTATION = "callboard.dev/environment";
const OPENCHOREO = "openchoreo.io/";

// One of these is on every entity that has a target.
export const TARGET_ANNOTATIONS = [COMPONENT_ANNOTATION, PROJECT_ANNOTATION, OPENCHOREO + "project"];

export interface Target {
    namespace: string;
    project: string;
    component?: string; // absent: the whole project
    environment?: string;
}

function isKind(entity: Entity, kind: string): boolean {
    return entity.kind.toLowerCase() === kind;
}

function annotation(entity: Entity, name: string): string | undefined {
    const text = entity.metadata.annotations?.[name]?.trim();
    return text === "" ? undefined : text;
}

// "ns/project/component" with exactly `parts` parts, none of them empty.
function partsOf(text: string, parts: number): string[] | undefined {
    const found = text.split("/").map((part) => part.trim());
    return found.length === parts && found.every((part) => part !== "") ? found : undefined;
}

function ofOurs(entity: Entity): Target[] {
    const components = annotation(entity, COMPONENT_ANNOTATION)?.split(",") ?? [];
    const project = partsOf(annotation(entity, PROJECT_ANNOTATION) ?? "", 2);
    const targets = components.flatMap((text): Target[] => {
        const parts = partsOf(text, 3);
        return parts ? [{ namespace: parts[0]!, project: parts[1]!, component: parts[2] }] : [];
    });
    if (project) targets.push({ namespace: project[0]!, project: project[1]! });
    return targets.filter((target, i) => targets.findIndex((one) => sameTarget(one, target)) === i);
}

function ofOpenChoreo(entity: Entity): Target[] {
    const namespace = annotation(entity, OPENCHOREO + "namespace");
    const project = annotation(entity, OPENCHOREO + "project");
    const component = annotation(entity, OPENCHOREO + "component");
    if (!namespace || !project) return [];
    return component || isKind(entity, "system") ? [{ namespace, project, component }] : [];
}

// Ours come first; OpenChoreo's where there is none of ours.
export function targetsOf(entity: Entity): Target[] {
    const ours = ofOurs(entity);
    const environment =
        annotation(entity, ENVIRONMENT_ANNOTATION) ?? annotation(entity, OPENCHOREO + "environment");
    return (ours.length > 0 ? ours : ofOpenChoreo(entity)).map((target) => ({ ...target, environment }));
}

export function isCallboardAvailable(entity: Entity): boolean {
    return targetsOf(entity).length > 0;
}

// The annotation that this entity lacks, as it would probably be.
export function proposedAnnotation(entity: Entity): { name: string; value: string } {
    const namespace = entity.metadata.namespace ?? "default";
    if (isKind(entity, "system"))
        return { name: PROJECT_ANNOTATION, value: `${namespace}/${entity.metadata.name}` };
    const system = typeof entity.spec?.system === "string" ? entity.spec.system : "PROJECT";
    const project = system.replace(/^.*[:/]/, "");
    return { name: COMPONENT_ANNOTATION, value: `${namespace}/${project}/${entity.metadata.name}` };
}

// "ns/project/component", "ns/project".
export function nameOf({ namespace, project, component }: Target): string {
    return [namespace, project, component].filter((part) => part !== undefined).join("/");
}

export function sameTarget(a: Target, b: Target): boolean {
    return nameOf(a) === nameOf(b);
}

// An annotation of ours that says nothing readable.
export function wrongAnnotation(entity: Entity): { name: string; value: string; form: string } | undefined {
    if (isCallboardAvailable(entity)) return undefined;
    const forms = [
        [COMPONENT_ANNOTATION, "namespace/project/component"],
        [PROJECT_ANNOTATION, "namespace/project"],
    ] as const;
    for (const [name, form] of forms) {
        const value = annotation(entity, name);
        if (value !== undefined) return { name, value, form };
    }
    return undefined;
}
