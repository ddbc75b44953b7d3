// Text in the graph: its width without measuring (so that a layout is the same
// everywhere), and names that are cut in the middle, as their ends tell them apart.
import { formatRate, formatSeconds, formatShare, shownName } from "../format";
import type { GraphFigures, GraphNode } from "./graph_model";

const LONGEST = 32;

export function textWidth(text: string, size: number): number {
    let width = 0;
    for (const char of text) {
        const code = char.codePointAt(0)!;
        if (code >= 0x2e80) width += 1.05;
        else if (/[mwMW@%]/.test(char)) width += 0.92;
        else if (/[A-Z_]/.test(char)) width += 0.72;
        else if (/[il.,:;|!'j ]/.test(char)) width += 0.36;
        else width += 0.62;
    }
    return width * size;
}

export function cutName(name: string, longest: number = LONGEST): string {
    const chars = [...shownName(name)];
    if (chars.length <= longest) return chars.join("");
    const head = Math.ceil((longest - 1) * 0.6);
    return chars.slice(0, head).join("") + "…" + chars.slice(chars.length - (longest - 1 - head)).join("");
}

export const KIND_WORDS: Record<GraphNode["kind"], string> = {
    component: "component",
    gateway: "gateway",
    database: "database",
    queue: "queue",
    host: "external",
};

// What stands beside the name: the kind of what is no component.
export function kindText(node: GraphNode): string {
    if (node.kind === "component") return "";
    return node.system ? cutName(node.system, 16) : KIND_WORDS[node.kind];
}

export function figureTexts(figures: GraphFigures): [string, string, string] {
    return [formatRate(figures.rate), formatShare(figures.errorRatio), formatSeconds(figures.p90)];
}

export function figureSentence(figures: GraphFigures): string {
    if (figures.requests === 0) return "no requests";
    const [rate, failed, p90] = figureTexts(figures);
    return `${rate}, ${failed} failed, p90 ${p90}`;
}
