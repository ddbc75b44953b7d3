// No component is in the address: one is chosen.
import { useParam, useSetParams } from "../address";
import { useComponents } from "../components";
import { ComponentTable, WORST_FIRST } from "../parts/component_table";
import { HowToSend } from "../parts/how_to_send";
import { sortOf, sortText } from "../parts/table";
import { useScope } from "../scope";
import { Answer } from "../states";
import { useTimeRange } from "../time";

export function ChooseComponent() {
    const range = useTimeRange();
    const { asked, rows } = useComponents({ ...useScope(), component: undefined }, range);
    const [sort] = useParam("sort");
    const set = useSetParams();
    return (
        <>
            <h1>Choose a component</h1>
            <Answer asked={asked} height={480} rows={8}>
                {() =>
                    rows.length === 0 ? (
                        <HowToSend now={range.end.getTime()} />
                    ) : (
                        <ComponentTable
                            rows={rows}
                            label="Components"
                            height="75vh"
                            sort={sortOf(sort, WORST_FIRST)}
                            onSort={(next) => set({ sort: sortText(next) })}
                        />
                    )
                }
            </Answer>
        </>
    );
}
