// The tab of an entity that names no component: which line it lacks, or what is
// wrong with the one that it has.
import type { Entity } from "@backstage/catalog-model";
import { MissingAnnotationEmptyState } from "@backstage/plugin-catalog-react";
import { CopyText, Notice } from "@callboard/ui";
import { useEffect } from "react";
import { putStyles } from "./styles";
import { proposedAnnotation, wrongAnnotation } from "./target";

export function NoTarget({ entity }: { entity: Entity }) {
    const { name, value } = proposedAnnotation(entity);
    const wrong = wrongAnnotation(entity);
    useEffect(putStyles, []);
    return (
        <>
            <div className="cb-root cb-no-target">
                <Notice
                    kind={wrong ? "error" : "empty"}
                    title={
                        wrong
                            ? `The annotation ${wrong.name} cannot be read`
                            : "This entity does not say what Callboard shows of it"
                    }
                >
                    {wrong ? (
                        <p>
                            It is <code>{wrong.value}</code>, and has to be {wrong.form}.
                        </p>
                    ) : null}
                    <p>Add this line to metadata.annotations of the entity, with the names that it sends:</p>
                    <CopyText text={`${name}: ${value}`} />
                </Notice>
            </div>
            {wrong ? null : <MissingAnnotationEmptyState annotation={name} />}
        </>
    );
}
