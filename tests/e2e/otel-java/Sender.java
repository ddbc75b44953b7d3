// The Java SDK with what the environment says: sends a span. What its exporter
// has to say of it goes to standard error.
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;

class Sender {
    public static void main(String[] arguments) {
        OpenTelemetrySdk sdk = AutoConfiguredOpenTelemetrySdk.builder().disableShutdownHook().build().getOpenTelemetrySdk();
        sdk.getTracer("java").spanBuilder("GET /x").startSpan().end();
        sdk.close();
        System.exit(0); // threads of its HTTP client would live on
    }
}
