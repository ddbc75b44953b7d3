// A canvas that fills its place, sharp on every screen, drawn again when its size,
// the theme or what is drawn changes.
import { useEffect, useRef, useState } from "react";
import { colorsOf, useThemeVersion, type Colors } from "./colors";

export interface Sheet {
    context: CanvasRenderingContext2D;
    width: number; // CSS px
    height: number;
    color: Colors;
}

export function useCanvas(draw: (sheet: Sheet) => void) {
    const ref = useRef<HTMLCanvasElement>(null);
    const [size, setSize] = useState({ width: 0, height: 0 });
    const theme = useThemeVersion();
    useEffect(() => {
        const canvas = ref.current;
        if (!canvas || typeof ResizeObserver === "undefined") return;
        const observer = new ResizeObserver(() =>
            setSize((old) =>
                old.width === canvas.clientWidth && old.height === canvas.clientHeight
                    ? old
                    : { width: canvas.clientWidth, height: canvas.clientHeight },
            ),
        );
        observer.observe(canvas);
        return () => observer.disconnect();
    }, []);
    useEffect(() => {
        const canvas = ref.current;
        const context = canvas?.getContext("2d");
        if (!canvas || !context || size.width === 0) return;
        const ratio = window.devicePixelRatio || 1;
        canvas.width = Math.round(size.width * ratio);
        canvas.height = Math.round(size.height * ratio);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        draw({ context, ...size, color: colorsOf(canvas) });
    }, [draw, size, theme]);
    return { ref, ...size };
}
