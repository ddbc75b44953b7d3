// Pan and zoom of the graph. The drawing moves as a whole, nodes are not drawn anew.
import {
    useCallback,
    useEffect,
    useLayoutEffect,
    useRef,
    useState,
    type PointerEvent,
    type RefObject,
} from "react";

export interface View {
    x: number;
    y: number;
    scale: number;
}

interface Size {
    width: number;
    height: number;
}

const SMALLEST = 0.15;
const LARGEST = 2.5;
// Below this scale text cannot be read: the first view shows a part instead of all.
const READABLE = 0.62;
const MOVED = 4; // px, from which on a press is a drag

export function fitted(content: Size, frame: Size, smallest: number = SMALLEST): View {
    const scale = Math.max(smallest, Math.min(1, frame.width / content.width, frame.height / content.height));
    return {
        scale,
        x: (frame.width - content.width * scale) / 2,
        y: (frame.height - content.height * scale) / 2,
    };
}

// All of it if that can be read, else the part around the anchor.
export function firstView(content: Size, frame: Size, anchor: { x: number; y: number } | undefined): View {
    const view = fitted(content, frame, READABLE);
    const at = anchor ?? { x: 0, y: content.height / 2 };
    const place = (length: number, room: number, middle: number) => {
        if (length * view.scale <= room) return (room - length * view.scale) / 2;
        return Math.min(0, Math.max(room - length * view.scale, room / 2 - middle * view.scale));
    };
    return {
        scale: view.scale,
        x: place(content.width, frame.width, at.x),
        y: place(content.height, frame.height, at.y),
    };
}

function useFrameWidth(ref: RefObject<Element | null>): number {
    const [width, setWidth] = useState(1000);
    useLayoutEffect(() => {
        const element = ref.current;
        if (!element) return;
        const known = element.getBoundingClientRect().width;
        if (known > 0) setWidth(known);
        if (typeof ResizeObserver === "undefined") return;
        const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
        observer.observe(element);
        return () => observer.disconnect();
    }, [ref]);
    return width;
}

const TALLEST = 640;
const LOWEST = 150;

export interface Viewport {
    view: View;
    height: number;
    zoom: (factor: number) => void;
    fit: () => void;
    // Brings a part into view, if it is not.
    reveal: (box: { x: number; y: number; width: number; height: number }) => void;
    pointer: {
        onPointerDown: (event: PointerEvent) => void;
        onPointerMove: (event: PointerEvent) => void;
        onPointerUp: (event: PointerEvent) => void;
        onPointerCancel: (event: PointerEvent) => void;
    };
    // A drag ended just now, so the click that follows means nothing.
    dragged: () => boolean;
}

export function useViewport(
    ref: RefObject<SVGSVGElement | null>,
    content: Size,
    anchor: { x: number; y: number } | undefined,
): Viewport {
    const width = useFrameWidth(ref);
    const room = fitted(content, { width, height: TALLEST }, READABLE).scale * content.height;
    const height = Math.round(Math.max(LOWEST, Math.min(TALLEST, room + 8)));
    const key = `${content.width} ${content.height} ${width} ${height}`;
    // What the reader chose, as long as content and frame are the same.
    const [chosen, setChosen] = useState<{ key: string; view: View }>();
    const view = chosen?.key === key ? chosen.view : firstView(content, { width, height }, anchor);
    const current = useRef(view);
    current.current = view;
    const set = useCallback((next: View) => setChosen({ key, view: next }), [key]);

    const zoomAt = useCallback(
        (factor: number, x: number, y: number) => {
            const { scale, x: left, y: top } = current.current;
            const next = Math.min(LARGEST, Math.max(SMALLEST, scale * factor));
            const ratio = next / scale;
            set({ scale: next, x: x - (x - left) * ratio, y: y - (y - top) * ratio });
        },
        [set],
    );

    // A wheel alone scrolls the page; with Ctrl (or two fingers on a pad) it zooms.
    useEffect(() => {
        const element = ref.current;
        if (!element) return;
        const wheel = (event: WheelEvent) => {
            if (!event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            const box = element.getBoundingClientRect();
            zoomAt(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
        };
        element.addEventListener("wheel", wheel, { passive: false });
        return () => element.removeEventListener("wheel", wheel);
    }, [ref, zoomAt]);

    const drag = useRef<{ id: number; x: number; y: number; view: View; moved: boolean } | null>(null);
    const lastDrag = useRef(false);
    const end = () => {
        lastDrag.current = drag.current?.moved ?? false;
        drag.current = null;
    };
    return {
        view,
        height,
        zoom: (factor) => zoomAt(factor, width / 2, height / 2),
        fit: () => set(fitted(content, { width, height })),
        reveal: (box) => {
            const { scale, x, y } = current.current;
            const [left, right] = [(box.x - box.width / 2) * scale + x, (box.x + box.width / 2) * scale + x];
            const [up, down] = [(box.y - box.height / 2) * scale + y, (box.y + box.height / 2) * scale + y];
            const step = (low: number, high: number, end: number) =>
                low < 0 ? 16 - low : high > end ? end - 16 - high : 0;
            const [dx, dy] = [step(left, right, width), step(up, down, height)];
            if (dx !== 0 || dy !== 0) set({ scale, x: x + dx, y: y + dy });
        },
        pointer: {
            onPointerDown: (event) => {
                lastDrag.current = false;
                if (event.button !== 0) return;
                drag.current = {
                    id: event.pointerId,
                    x: event.clientX,
                    y: event.clientY,
                    view: current.current,
                    moved: false,
                };
            },
            onPointerMove: (event) => {
                const from = drag.current;
                if (!from || from.id !== event.pointerId) return;
                const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
                if (!from.moved && Math.hypot(dx, dy) < MOVED) return;
                if (!from.moved) ref.current?.setPointerCapture(event.pointerId);
                from.moved = true;
                set({ ...from.view, x: from.view.x + dx, y: from.view.y + dy });
            },
            onPointerUp: end,
            onPointerCancel: end,
        },
        dragged: () => lastDrag.current,
    };
}
