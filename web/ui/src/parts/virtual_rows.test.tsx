import { act, fireEvent, render, screen } from "@testing-library/react";
import { useCallback, useRef } from "react";
import { expect, test } from "vitest";
import { rowAt, useVirtualRows, type VirtualRows } from "./virtual_rows";

let view: VirtualRows;

function Rows(props: { count: number; size: number }) {
    const scroller = useRef<HTMLDivElement>(null);
    const { size } = props;
    const sizeOf = useCallback(() => size, [size]);
    view = useVirtualRows({ scroller, count: props.count, sizeOf, extra: 2 });
    return (
        <div ref={scroller} data-testid="scroller">
            {view.drawn.map((row) => (
                <p key={row.index}>{`row ${row.index} at ${row.start}`}</p>
            ))}
        </div>
    );
}

const shown = () => screen.getAllByText(/^row/).map((row) => Number(/\d+/.exec(row.textContent!)![0]));

test("only rows in view and a few more are drawn; others come when it is scrolled", () => {
    render(<Rows count={10_000} size={20} />);
    expect(view.height).toBe(200_000);
    expect(shown()).toEqual(Array.from({ length: 43 }, (_, i) => i)); // 800 px, and 2 more
    const scroller = screen.getByTestId("scroller");
    scroller.scrollTop = 100_010;
    fireEvent.scroll(scroller);
    expect(shown()[0]).toBe(4998);
    screen.getByText("row 5000 at 100000");
});

test("a row is shown wherever it is; fewer rows and none are no error", () => {
    const { rerender } = render(<Rows count={1000} size={20} />);
    const scroller = screen.getByTestId("scroller");
    act(() => view.show(500, "center"));
    fireEvent.scroll(scroller);
    expect(shown()).toContain(500);
    rerender(<Rows count={3} size={30} />);
    expect(view.height).toBe(90);
    expect(shown()).toContain(2);
    rerender(<Rows count={0} size={30} />);
    expect(view.drawn).toEqual([]);
});

test("the row at a height is the last that starts there or above", () => {
    const starts = Float64Array.of(0, 10, 10, 40);
    expect([-5, 0, 9, 10, 39, 99].map((at) => rowAt(starts, at))).toEqual([0, 0, 0, 2, 2, 2]);
    expect(rowAt(Float64Array.of(0), 5)).toBe(0);
});
