// One client of npm: node clients.mjs KIND URL [TOKEN]. It prints what it was
// answered, a JSON document a line, and calls a last time, with the same client
// object, when a line comes in.
import readline from 'node:readline';

const [kind, url, token] = process.argv.slice(2);
const me = {name: 'callboard-test', version: '1'};
const scope = {namespace: 'acme', project: 'shop', environment: 'production'};
const range = {start_time: '2025-01-15T08:00:00Z', end_time: '2025-01-15T08:20:00Z'};

async function connect() {
  const requestInit = token ? {headers: {Authorization: 'Bearer ' + token}} : {};
  if (kind === 'sdk') {
    const {Client} = await import('@modelcontextprotocol/sdk/client/index.js');
    const {StreamableHTTPClientTransport} = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const client = new Client(me);
    await client.connect(new StreamableHTTPClientTransport(new URL(url), {requestInit}));
    return client;
  }
  const {Client, StreamableHTTPClientTransport} = await import('@modelcontextprotocol/client');
  const modes = {legacy: undefined, auto: {mode: 'auto'}, pin: {mode: {pin: '2026-07-28'}}};
  const client = new Client(me, modes[kind] ? {versionNegotiation: modes[kind]} : undefined);
  await client.connect(new StreamableHTTPClientTransport(new URL(url), {requestInit}));
  return client;
}

const print = (name, value) => console.log(JSON.stringify({name, value}));

async function tried(name, promise) {
  try {
    print(name, await promise);
  } catch (error) {
    print(name, {thrown: String(error.message ?? error), code: error.code});
  }
}

const client = await connect();
const call = (name, args) => client.callTool({name, arguments: args});

print('instructions', client.getInstructions());
print('capabilities', client.getServerCapabilities());
await tried('tools', client.listTools());
await tried('logs', call('query_component_logs', {...scope, ...range, component: 'inventory', log_levels: ['ERROR'], limit: 5}));
await tried('metrics', call('query_resource_metrics', {...scope, ...range, component: 'inventory', step: '5m'}));
await tried('http', call('query_http_metrics', {...scope, ...range, component: 'inventory', step: '5m'}));
await tried('events', call('query_component_events', {...scope, ...range}));
await tried('workflow', call('query_workflow_logs', {namespace: 'acme', workflow_run_name: 'none', ...range}));
const traces = await call('query_traces', {...scope, ...range, component: 'checkout', limit: 2});
print('traces', traces);
const trace_id = traces.structuredContent.traces[0].traceId;
const spans = await call('query_trace_spans', {trace_id, ...scope, ...range});
print('spans', spans);
await tried('span', call('get_span_details', {trace_id, span_id: spans.structuredContent.spans[0].spanId}));
await tried('empty', call('query_component_logs', {...scope, ...range, component: 'nothing'}));
for (const [name, args] of Object.entries(JSON.parse(process.env.TASKS ?? '{}'))) {
  await tried('task ' + name, call(name, args));
}
await tried('unknown tool', call('query_nothing', {}));
await tried('wrong argument', call('query_component_logs', {...scope, ...range, limit: 'many'}));
await tried('unknown argument', call('query_component_logs', {...scope, ...range, componet: 'x'}));
await tried('resources', client.listResources());
await tried('templates', client.listResourceTemplates());
await tried('prompts', client.listPrompts());
await tried('unknown resource', client.readResource({uri: 'callboard://nothing/caf%C3%A9'}));
await tried('unknown prompt', client.getPrompt({name: 'nothing'}));

print('waits', null);
for await (const _ of readline.createInterface({input: process.stdin})) {
  await tried('again', call('query_component_logs', {...scope, ...range, limit: 1}));
  break;
}
await client.close();
