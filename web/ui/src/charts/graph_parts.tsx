// One node and one edge of the graph. Shape tells the kind, colour and a mark tell
// trouble; what is well has no colour, so that the eye finds what is not.
import { memo } from "react";
import { formatShare, shownName } from "../format";
import { HEALTH_SHAPES } from "../parts/marks";
import { inTrouble, type GraphEdge, type GraphNode } from "./graph_model";
import { CAPTION_HEIGHT, NODE_HEIGHT, type PlacedEdge, type PlacedNode } from "./graph_layout";
import { cutName, figureSentence, figureTexts, KIND_WORDS, kindText, textWidth } from "./graph_text";

// How a node or edge takes part in what is told: the path of a fault, or not at all.
export interface GraphMark {
    // Place on the path, from the cause (1) to what users reach.
    step?: number;
    excluded?: boolean;
    dimmed?: boolean;
}

export function nodeShape(kind: GraphNode["kind"], width: number): string {
    const [w, h] = [width, NODE_HEIGHT];
    switch (kind) {
        case "gateway":
            return `M${h / 2} 0H${w - h / 2}A${h / 2} ${h / 2} 0 0 1 ${w - h / 2} ${h}H${h / 2}A${h / 2} ${h / 2} 0 0 1 ${h / 2} 0Z`;
        case "database":
            return `M0 4A${w / 2} 4 0 0 1 ${w} 4V${h - 4}A${w / 2} 4 0 0 1 0 ${h - 4}ZM0 4A${w / 2} 4 0 0 0 ${w} 4`;
        case "queue":
            return `M6 0H${w - 6}A6 ${h / 2} 0 0 1 ${w - 6} ${h}H6A6 ${h / 2} 0 0 1 6 0ZM${w - 6} 0A6 ${h / 2} 0 0 0 ${w - 6} ${h}`;
        case "host":
            return `M10 0H${w - 10}L${w} ${h / 2}L${w - 10} ${h}H10L0 ${h / 2}Z`;
        default:
            return `M7 0H${w - 7}A7 7 0 0 1 ${w} 7V${h - 7}A7 7 0 0 1 ${w - 7} ${h}H7A7 7 0 0 1 0 ${h - 7}V7A7 7 0 0 1 7 0Z`;
    }
}

export function nodeSentence(node: GraphNode, mark: GraphMark | undefined): string {
    const kind = node.system ? `${KIND_WORDS[node.kind]} ${shownName(node.system)}` : KIND_WORDS[node.kind];
    const step = mark?.step ? `, step ${mark.step} of the failure` : "";
    const caption = node.caption ? `, ${shownName(node.caption)}` : "";
    return `${shownName(node.name)}, ${kind}, ${node.health}, ${figureSentence(node)}${step}${caption}`;
}

export function classes(...names: (string | false | undefined)[]): string {
    return names.filter(Boolean).join(" ");
}

function Step(props: { step: number }) {
    return (
        <g className="cb-graph-step" aria-hidden="true">
            <circle r={11} />
            <text textAnchor="middle" y={4.5}>
                {props.step}
            </text>
        </g>
    );
}

function nodeClasses(node: GraphNode, mark: GraphMark | undefined, selected: boolean, lit: boolean): string {
    return classes(
        "cb-graph-node",
        `cb-graph-${node.health}`,
        `cb-graph-kind-${node.kind}`,
        selected && "cb-graph-selected",
        lit && "cb-graph-lit",
        mark?.step !== undefined && "cb-graph-onpath",
        mark?.step === 1 && "cb-graph-culprit",
        mark?.dimmed && "cb-graph-dimmed",
    );
}

function NodeFigures(props: { node: GraphNode; x: number; y: number }) {
    const [rate, failed, p90] = figureTexts(props.node);
    return (
        <text className="cb-graph-figures" x={props.x} y={props.y}>
            {props.node.requests === 0 ? (
                "no requests"
            ) : (
                <>
                    {rate}
                    <tspan dx={8} className="cb-graph-failed">
                        {failed}
                    </tspan>
                    <tspan dx={8}>{p90}</tspan>
                </>
            )}
        </text>
    );
}

function NodeTexts(props: { node: GraphNode; width: number }) {
    const { node, width } = props;
    const inset = node.kind === "component" || node.kind === "database" ? 12 : 18;
    const down = node.kind === "database" ? 2 : 0; // below the lid
    return (
        <g aria-hidden="true" className="cb-graph-texts">
            <text className="cb-graph-name" x={inset} y={19 + down}>
                {inTrouble(node.health) ? (
                    <tspan className="cb-graph-mark">{HEALTH_SHAPES[node.health]} </tspan>
                ) : null}
                {cutName(node.name)}
            </text>
            {kindText(node) ? (
                <text className="cb-graph-kind" x={width - inset} y={18 + down} textAnchor="end">
                    {kindText(node)}
                </text>
            ) : null}
            <NodeFigures node={node} x={inset} y={36 + down} />
            {node.caption ? (
                <text className="cb-graph-caption" x={2} y={NODE_HEIGHT + CAPTION_HEIGHT - 5}>
                    {cutName(node.caption, 36)}
                </text>
            ) : null}
        </g>
    );
}

export const NodeDrawing = memo(function NodeDrawing(props: {
    node: GraphNode;
    place: PlacedNode;
    mark?: GraphMark;
    selected: boolean;
    lit: boolean;
    current: boolean;
    hatch: string;
}) {
    const { node, place, mark, selected, lit } = props;
    const shape = nodeShape(node.kind, place.width);
    return (
        <g
            data-node={node.id}
            className={nodeClasses(node, mark, selected, lit)}
            transform={`translate(${place.x - place.width / 2} ${place.y - place.height / 2})`}
        >
            <g
                role="button"
                tabIndex={props.current ? 0 : -1}
                aria-pressed={selected}
                aria-label={nodeSentence(node, mark)}
            >
                <title>{nodeSentence(node, mark)}</title>
                <path className="cb-graph-shape" d={shape} />
            </g>
            {mark?.excluded ? (
                <path className="cb-graph-hatch" d={shape} fill={`url(#${props.hatch})`} />
            ) : null}
            <NodeTexts node={node} width={place.width} />
            {mark?.step ? <Step step={mark.step} /> : null}
        </g>
    );
});

// 1.2 px at less than one request a minute, 6 px from thousands a second on.
export function edgeWidth(rate: number): number {
    if (rate <= 0) return 1.2;
    return Math.min(6, Math.max(1.2, 2 + Math.log10(rate) * 1.1));
}

export function edgeSentence(edge: GraphEdge, names: ReadonlyMap<string, string>): string {
    const drift = { undeclared: ", not declared", unused: ", declared, no calls" };
    const protocol = edge.protocol ? ` by ${edge.protocol}` : "";
    return (
        `${names.get(edge.source) ?? ""} calls ${names.get(edge.target) ?? ""}${protocol}: ` +
        figureSentence(edge) +
        (edge.drift ? drift[edge.drift] : "")
    );
}

export const EdgeDrawing = memo(function EdgeDrawing(props: {
    edge: GraphEdge;
    place: PlacedEdge;
    sentence: string;
    mark?: GraphMark;
    selected: boolean;
    lit: boolean;
}) {
    const { edge, place, mark } = props;
    const trouble = edge.health === "bad" || edge.health === "warning";
    const label = trouble
        ? `${formatShare(edge.errorRatio)} failed`
        : edge.drift === "undeclared"
          ? "not declared"
          : "";
    const width = edgeWidth(edge.rate);
    const head = 5 + width * 0.8;
    const side = place.back ? -1 : 1;
    const { x, y } = place.tip;
    const labelWidth = textWidth(label, 10.5) + 8;
    return (
        <g
            data-edge={edge.id}
            className={classes(
                "cb-graph-edge",
                `cb-graph-${edge.health}`,
                edge.drift && `cb-graph-${edge.drift}`,
                props.selected && "cb-graph-selected",
                props.lit && "cb-graph-lit",
                mark?.step !== undefined && "cb-graph-onpath",
                mark?.dimmed && "cb-graph-dimmed",
            )}
        >
            <title>{props.sentence}</title>
            <path className="cb-graph-hit" d={place.path} />
            <path className="cb-graph-line" d={place.path} strokeWidth={width} />
            <path
                className="cb-graph-tip"
                d={`M${x} ${y}l${-side * (head + 4)} ${-head * 0.75}v${head * 1.5}z`}
            />
            {label ? (
                <g className="cb-graph-label" transform={`translate(${place.middle.x} ${place.middle.y})`}>
                    <rect x={-labelWidth / 2} y={-8} width={labelWidth} height={16} rx={4} />
                    <text textAnchor="middle" y={3.8}>
                        {label}
                    </text>
                </g>
            ) : null}
        </g>
    );
});
