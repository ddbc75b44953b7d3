// The text of a pattern, with what varies in it set apart.
import { Fragment } from "react";
import { plainText } from "./text";

export function Template(props: { template: string }) {
    const parts = plainText(props.template).split("<*>");
    return (
        <bdi dir="ltr" className="cb-log-template" title={plainText(props.template)}>
            {parts.map((part, i) => (
                <Fragment key={i}>
                    {i > 0 ? <span className="cb-log-varies">‹…›</span> : null}
                    {part}
                </Fragment>
            ))}
        </bdi>
    );
}
