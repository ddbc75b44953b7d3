import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { matching, OptionList } from "./option_list";

const options = ["cart", "checkout", "cart-worker", "mini cart"].map((text) => ({ value: text, text }));

test("all words, in any order; what begins with the first comes first", () => {
    expect(matching(options, "cart").map((o) => o.text)).toEqual(["cart", "cart-worker", "mini cart"]);
    expect(matching(options, "work cart").map((o) => o.text)).toEqual(["cart-worker"]);
    expect(matching(options, "")).toHaveLength(4);
});

test("arrows and Enter choose, what fits none is said", () => {
    const onChoose = vi.fn();
    render(<OptionList label="Component" options={options} onChoose={onChoose} none="None has this name." />);
    const field = screen.getByRole("combobox");
    fireEvent.change(field, { target: { value: "c" } });
    fireEvent.keyDown(field, { key: "ArrowDown" });
    fireEvent.keyDown(field, { key: "Enter" });
    expect(onChoose.mock.calls[0]![0].text).toBe("checkout");
    fireEvent.change(field, { target: { value: "nobody" } });
    screen.getByText("None has this name.");
    fireEvent.keyDown(field, { key: "Enter" });
    expect(onChoose).toHaveBeenCalledTimes(1);
});
