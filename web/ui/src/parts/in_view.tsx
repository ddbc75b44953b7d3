// What stands below the fold is asked when it comes into view.
import { useEffect, useRef, useState, type ReactNode, type RefObject } from "react";

// True once the element has come near the view, and from then on.
export function useSeen(ref: RefObject<HTMLElement | null>): boolean {
    const [seen, setSeen] = useState(typeof IntersectionObserver === "undefined");
    useEffect(() => {
        const element = ref.current;
        if (!element || seen) return;
        const observer = new IntersectionObserver(
            (entries) => {
                if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
            },
            { rootMargin: "150px" },
        );
        observer.observe(element);
        return () => observer.disconnect();
    }, [ref, seen]);
    return seen;
}

// Holds its room until it is seen, so that nothing below it moves.
export function WhenSeen(props: { height: number; children: () => ReactNode }) {
    const ref = useRef<HTMLDivElement>(null);
    const seen = useSeen(ref);
    return (
        <div ref={ref} style={{ minHeight: props.height }}>
            {seen ? props.children() : null}
        </div>
    );
}
