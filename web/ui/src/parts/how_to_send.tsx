// Nothing has come yet: how to send.
import { useHost } from "../host";
import { Empty } from "../states";
import { CopyText } from "./copy_text";

const span = (now: number) =>
    JSON.stringify({
        resourceSpans: [
            {
                resource: {
                    attributes: [
                        ["service.name", "cart"],
                        ["openchoreo.dev/namespace", "acme"],
                        ["openchoreo.dev/project", "shop"],
                        ["openchoreo.dev/component", "cart"],
                    ].map(([key, stringValue]) => ({ key, value: { stringValue } })),
                },
                scopeSpans: [
                    {
                        spans: [
                            {
                                traceId: "0af7651916cd43dd8448eb211c80319c",
                                spanId: "b7ad6b7169203331",
                                name: "GET /carts/{id}",
                                kind: 2,
                                startTimeUnixNano: `${now}000000`,
                                endTimeUnixNano: `${now + 42}000000`,
                            },
                        ],
                    },
                ],
            },
        ],
    });

export function HowToSend(props: { now: number }) {
    const { otlpAddress = "http://localhost:4318" } = useHost();
    return (
        <Empty
            what="Nothing has arrived yet"
            why="Callboard shows the components that send OpenTelemetry traces, logs and metrics to it, or that are declared in its catalogue."
            next={
                <>
                    <p>Point an OpenTelemetry SDK or Collector at this server:</p>
                    <CopyText
                        text={`OTEL_EXPORTER_OTLP_ENDPOINT=${otlpAddress}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`}
                    />
                    <p>Or send one span now, then ask again:</p>
                    <CopyText
                        text={`curl -H 'Content-Type: application/json' ${otlpAddress}/v1/traces -d '${span(props.now)}'`}
                    />
                    <p className="cb-quiet">
                        A shop with a fault, to look around: <code>make demo</code>.
                    </p>
                </>
            }
        />
    );
}
