// The style of the views, put into the page once: a published package cannot
// count on a host's loader for CSS.
import css from "@callboard/ui/styles.css?text";

const ID = "callboard-styles";

export function putStyles(): void {
    if (document.getElementById(ID)) return;
    const style = document.createElement("style");
    style.id = ID;
    style.textContent = css;
    document.head.append(style);
}
