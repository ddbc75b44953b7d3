// A bar for a share of a whole, or of the largest of its kind; the figure stands
// beside it in words.
export function ShareBar(props: { share: number; bad?: boolean; className?: string }) {
    const classes = ["cb-share-bar", props.bad && "cb-share-bar-bad", props.className];
    return (
        <span className={classes.filter(Boolean).join(" ")} aria-hidden="true">
            <span style={{ width: `${Math.max(1, Math.min(100, props.share * 100))}%` }} />
        </span>
    );
}

// The bar and its figure in a cell of a table.
export function ShareCell(props: { share: number; text: string }) {
    return (
        <span className="cb-share-cell">
            <ShareBar share={props.share} />
            {props.text}
        </span>
    );
}
