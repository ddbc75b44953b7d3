/*
 * Edges are kept twice, by source and by target, each list busiest first. A
 * node is opened once: where it comes again, a word says so, so that the text
 * is as long as the graph has edges, whatever its cycles.
 */
#include "topology_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_int.h"
#include "human.h"
#include "map.h"
#include "mem.h"

enum {
    FIGURES = 27,  /* columns of rate, errors, p99 */
    WORDS = 20,    /* columns behind them: "endpoint undeclared" */
    REPEATED = 11, /* "see above" */
    NAME_MOST = 70,
    NAME_LEAST = 12,
    NAME_BYTES = 64 * 1024,
    USUAL_COLUMNS = 100
};

struct text_edge {
    uint32_t ends[2]; /* source, target: nodes */
    const json_t *json;
    double rate;
};

struct text_node {
    const json_t *json;
    uint32_t first[2], count[2]; /* its edges in by[0] (it calls), by[1] */
    uint32_t layer;
    bool opened, on_path;
};

struct topology_lines {
    struct buf *out;
    const struct term_look *look;
    struct map index;
    struct text_node *nodes;
    struct text_edge *edges;
    uint32_t node_count, edge_count;
    uint32_t *by[2]; /* edges: by source, by target */
    uint32_t name;   /* columns */
};

/* ---- the graph ---- */

static uint32_t find_node(const struct topology_lines *t, const char *id)
{
    map_each(&t->index, map_hash_slice(slice_of(id)), at)
        if (strcmp(cli_text(t->nodes[at].json, "id"), id) == 0)
            return at;
    return MAP_NONE;
}

static void load(struct topology_lines *t, const json_t *answer)
{
    const json_t *nodes = json_object_get(answer, "nodes"),
                 *edges = json_object_get(answer, "edges");
    size_t n = json_array_size(nodes), m = json_array_size(edges);

    t->nodes = mem_zero(n + 1, sizeof(*t->nodes));
    t->edges = mem_zero(m + 1, sizeof(*t->edges));
    for (size_t i = 0; i < n; i++) {
        const json_t *json = json_array_get(nodes, i);
        uint32_t hash = map_hash_slice(slice_of(cli_text(json, "id")));

        t->nodes[t->node_count] = (struct text_node){.json = json};
        (void)map_add(&t->index, hash, t->node_count++); /* on the heap */
    }
    for (size_t i = 0; i < m; i++) {
        const json_t *json = json_array_get(edges, i);
        uint32_t source = find_node(t, cli_text(json, "source")),
                 target = find_node(t, cli_text(json, "target"));
        double rate = cli_number(json, "requestRate");

        if (source != MAP_NONE && target != MAP_NONE)
            t->edges[t->edge_count++] = (struct text_edge){
                {source, target}, json, isfinite(rate) ? rate : 0};
    }
}

/* Counting sort by one end; edges come busiest first. */
static void link_edges(struct topology_lines *t, int end)
{
    uint32_t at = 0;

    t->by[end] = mem_zero(t->edge_count + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < t->edge_count; i++)
        t->nodes[t->edges[i].ends[end]].count[end]++;
    for (uint32_t i = 0; i < t->node_count; i++) {
        t->nodes[i].first[end] = at;
        at += t->nodes[i].count[end];
        t->nodes[i].count[end] = 0;
    }
    for (uint32_t i = 0; i < t->edge_count; i++) {
        struct text_node *node = &t->nodes[t->edges[i].ends[end]];

        t->by[end][node->first[end] + node->count[end]++] = i;
    }
}

static int busiest_first(const void *left, const void *right)
{
    const struct text_edge *a = left, *b = right;

    return (a->rate < b->rate) - (a->rate > b->rate);
}

/* ---- lines ---- */

/* Up to the column of the figures; cut as a whole, so that it shows. */
static void write_node_name(const struct topology_lines *t,
                            struct term_line *line, const json_t *node,
                            const char *more)
{
    const char *kind = cli_text(node, "kind"),
               *component = cli_text(node, "component");
    uint32_t room = t->name > line->column ? t->name - line->column : 1, width;
    struct buf text;

    buf_init(&text, NAME_BYTES);
    buf_add(&text, slice_of(component[0] ? component : cli_text(node, "name")));
    if (strcmp(kind, "component") != 0)
        buf_format(&text, " (%s)",
                   cli_text(node, "system")[0] ? cli_text(node, "system")
                                               : kind);
    if (more[0])
        buf_format(&text, "  %s", more);
    width = term_columns(buf_slice(&text));
    term_cell(line, buf_slice(&text), width < room ? width : room, TERM_LEFT);
    buf_release(&text);
}

static void write_figures(const struct topology_lines *t,
                          struct term_line *line, const json_t *of)
{
    double errors = cli_number(of, "errorRatio");
    char text[HUMAN_TEXT];

    term_to(line, t->name);
    term_printf(line, "%9s", human_number(text, cli_number(of, "requestRate")));
    if (errors >= 0.01)
        term_paint(line, errors >= 0.05 ? TERM_RED : TERM_YELLOW);
    term_printf(line, "%9s", human_share(text, errors));
    term_paint(line, TERM_PLAIN);
    term_printf(
        line, "%9s",
        human_seconds(text, cli_number(json_object_get(of, "latency"), "p99")));
}

/* What an architect looks for, in words. */
static const struct {
    const char *drift, *words;
} drifts[] = {{"undeclared", "undeclared"},
              {"undeclaredEndpoint", "endpoint undeclared"},
              {"unused", "declared, unused"},
              {"environmentMismatch", "other environment"}};

static void write_words(struct term_line *line, const json_t *edge,
                        const char *more)
{
    const char *drift = cli_text(edge, "drift");

    if (more[0]) {
        term_puts(line, "  ");
        term_puts(line, more);
    }
    for (size_t i = 0; i < sizeof(drifts) / sizeof(*drifts); i++)
        if (strcmp(drifts[i].drift, drift) == 0) {
            term_paint(line, TERM_YELLOW);
            term_puts(line, "  ");
            term_puts(line, drifts[i].words);
            term_paint(line, TERM_PLAIN);
        }
}

static void write_title(const struct topology_lines *t, const char *title)
{
    struct term_line line = term_begin(t->out, t->look);

    term_paint(&line, TERM_BOLD);
    term_puts(&line, title);
    term_end(&line);
}

static void write_titles(const struct topology_lines *t, const char *title)
{
    struct term_line line = term_begin(t->out, t->look);

    term_paint(&line, TERM_BOLD);
    term_puts(&line, title);
    term_to(&line, t->name);
    term_printf(&line, "%9s%9s%9s", "RATE/S", "ERRORS", "P99");
    term_end(&line);
}

/* ---- one component: trees ---- */

/* A step down a tree: the edges of a node that are still to be written. */
struct branch {
    uint32_t node, next, end; /* in by[] */
};

static void write_branch(const struct topology_lines *t,
                         const struct branch *stack, uint32_t depth,
                         const struct text_edge *edge, int end)
{
    struct term_line line = term_begin(t->out, t->look),
                     name = term_begin(t->out, t->look);
    struct term_look narrow = *t->look;
    uint32_t to = edge->ends[1 - end];
    const char *more = "";

    if (!narrow.columns || narrow.columns > t->name)
        narrow.columns = t->name;
    name.look = &narrow;
    for (uint32_t d = 0; d < depth; d++) {
        bool last = stack[d].next == stack[d].end;

        if (d + 1 < depth)
            term_draw(&name, last ? " " : "│", last ? " " : "|", 1);
        else
            term_draw(&name, last ? "└" : "├", last ? "`" : "|", 1);
        term_draw(&name, d + 1 < depth ? " " : "─", d + 1 < depth ? " " : "-",
                  1);
    }
    write_node_name(t, &name, t->nodes[to].json, "");
    line.column = name.column;
    write_figures(t, &line, edge->json);
    if (t->nodes[to].on_path)
        more = "cycle";
    else if (t->nodes[to].opened && t->nodes[to].count[end])
        more = "see above";
    write_words(&line, edge->json, more);
    term_end(&line);
}

/* end 0: what the node calls, 1: what calls it. */
static void write_tree(struct topology_lines *t, uint32_t root, int end)
{
    struct branch *stack = mem_alloc((t->node_count + 2) * sizeof(*stack));
    uint32_t depth = 1;

    for (uint32_t i = 0; i < t->node_count; i++)
        t->nodes[i].opened = t->nodes[i].on_path = false;
    stack[0] =
        (struct branch){root, t->nodes[root].first[end],
                        t->nodes[root].first[end] + t->nodes[root].count[end]};
    t->nodes[root].opened = t->nodes[root].on_path = true;
    while (depth > 0) {
        struct branch *top = &stack[depth - 1];

        if (top->next == top->end) {
            t->nodes[top->node].on_path = false;
            depth--;
            continue;
        }
        const struct text_edge *edge = &t->edges[t->by[end][top->next++]];
        uint32_t to = edge->ends[1 - end];
        struct text_node *node = &t->nodes[to];

        write_branch(t, stack, depth, edge, end);
        if (node->opened)
            continue;
        node->opened = node->on_path = true;
        stack[depth++] = (struct branch){to, node->first[end],
                                         node->first[end] + node->count[end]};
    }
    free(stack);
}

static void write_self(struct topology_lines *t, uint32_t node)
{
    const json_t *json = t->nodes[node].json;
    struct term_line line = term_begin(t->out, t->look);

    write_titles(t, "COMPONENT");
    write_node_name(t, &line, json, cli_text(json, "environment"));
    write_figures(t, &line, json);
    term_end(&line);
}

static void write_side(struct topology_lines *t, uint32_t root, int end,
                       const char *title)
{
    struct term_line line = term_begin(t->out, t->look);

    if (t->nodes[root].count[end] == 0)
        return;
    term_end(&line);
    write_titles(t, title);
    write_tree(t, root, end);
}

/* ---- more than one: layers ---- */

/* The longest way from a node that nothing calls; the nodes of a cycle, when
 * nothing else is left, one by one, busiest first. */
static uint32_t assign_layers(struct topology_lines *t)
{
    uint32_t *waiting = mem_zero(t->node_count + 1, sizeof(*waiting));
    uint32_t *queue = mem_zero(t->node_count + 1, sizeof(*queue));
    uint32_t first = 0, count = 0, scan = 0, deepest = 0;

    for (uint32_t i = 0; i < t->node_count; i++) {
        waiting[i] = t->nodes[i].count[1];
        if (waiting[i] == 0) {
            t->nodes[i].opened = true;
            queue[count++] = i;
        }
    }
    while (first < t->node_count) {
        if (first == count) { /* a cycle */
            while (t->nodes[scan].opened)
                scan++;
            t->nodes[scan].opened = true;
            queue[count++] = scan;
        }
        const struct text_node *node = &t->nodes[queue[first++]];

        deepest = node->layer > deepest ? node->layer : deepest;
        for (uint32_t k = 0; k < node->count[0]; k++) {
            uint32_t to = t->edges[t->by[0][node->first[0] + k]].ends[1];
            struct text_node *callee = &t->nodes[to];

            if (callee->opened)
                continue;
            if (callee->layer <= node->layer)
                callee->layer = node->layer + 1;
            if (--waiting[to] == 0) {
                callee->opened = true;
                queue[count++] = to;
            }
        }
    }
    free(waiting);
    free(queue);
    return deepest;
}

static void write_layer_node(struct topology_lines *t,
                             const struct text_node *node)
{
    struct term_line line = term_begin(t->out, t->look);

    term_puts(&line, "  ");
    term_paint(&line, TERM_BOLD);
    write_node_name(t, &line, node->json, "");
    term_paint(&line, TERM_PLAIN);
    write_figures(t, &line, node->json);
    term_end(&line);
    for (uint32_t k = 0; k < node->count[0]; k++) {
        const struct text_edge *edge = &t->edges[t->by[0][node->first[0] + k]];
        const struct text_node *to = &t->nodes[edge->ends[1]];

        term_puts(&line, "    ");
        term_draw(&line, "→", ">", 1);
        term_puts(&line, " ");
        write_node_name(t, &line, to->json, "");
        write_figures(t, &line, edge->json);
        write_words(&line, edge->json, to->layer <= node->layer ? "cycle" : "");
        term_end(&line);
    }
}

static void write_layers(struct topology_lines *t)
{
    uint32_t deepest = assign_layers(t);
    char title[48];

    for (uint32_t layer = 0; layer <= deepest; layer++) {
        (void)snprintf(title, sizeof(title), "LAYER %u%s", layer + 1,
                       layer == 0 ? " (entries)" : "");
        if (layer == 0)
            write_titles(t, title);
        else
            write_title(t, title);
        for (uint32_t i = 0; i < t->node_count; i++)
            if (t->nodes[i].layer == layer)
                write_layer_node(t, &t->nodes[i]);
    }
}

static void write_summary(struct topology_lines *t, const json_t *answer)
{
    static const struct {
        const char *member, *words;
    } counts[] = {{"undeclared", "calls undeclared"},
                  {"undeclaredEndpoints", "endpoints undeclared"},
                  {"unused", "declarations unused"},
                  {"environmentMismatches", "calls to another environment"},
                  {"nodesLeftOut", "nodes left out"},
                  {"edgesLeftOut", "edges left out"}};
    const json_t *summary = json_object_get(answer, "summary");
    struct term_line line = term_begin(t->out, t->look);

    term_end(&line);
    term_printf(&line, "%u nodes, %u edges", t->node_count, t->edge_count);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
        if (cli_number(summary, counts[i].member) > 0)
            term_printf(&line, ", %.0f %s",
                        cli_number(summary, counts[i].member), counts[i].words);
    term_end(&line);
}

/* The only node that the scope names; MAP_NONE if there are more. */
static uint32_t only_self(const struct topology_lines *t)
{
    uint32_t found = MAP_NONE;

    for (uint32_t i = 0; i < t->node_count; i++)
        if (strcmp(cli_text(t->nodes[i].json, "relation"), "self") == 0) {
            if (found != MAP_NONE)
                return MAP_NONE;
            found = i;
        }
    return found;
}

/* The columns of names: what figures, and the words that there are, leave. */
static uint32_t name_columns(const struct topology_lines *t)
{
    uint32_t columns = t->look->columns ? t->look->columns : USUAL_COLUMNS;
    uint32_t other = FIGURES + REPEATED;

    for (uint32_t i = 0; i < t->edge_count; i++)
        if (cli_text(t->edges[i].json, "drift")[0])
            other = FIGURES + WORDS;
    if (columns < other + NAME_LEAST)
        return NAME_LEAST;
    return columns - other < NAME_MOST ? columns - other : NAME_MOST;
}

void topology_text(struct buf *out, const struct term_look *look,
                   const json_t *answer)
{
    struct topology_lines t = {.out = out, .look = look};
    uint32_t self;

    load(&t, answer);
    t.name = name_columns(&t);
    qsort(t.edges, t.edge_count, sizeof(*t.edges), busiest_first);
    link_edges(&t, 0);
    link_edges(&t, 1);
    self = only_self(&t);
    if (self != MAP_NONE) {
        write_self(&t, self);
        write_side(&t, self, 1, "CALLERS");
        write_side(&t, self, 0, "CALLEES");
    } else if (t.node_count > 0) {
        write_layers(&t);
    }
    if (t.node_count > 0)
        write_summary(&t, answer);
    map_release(&t.index);
    free(t.nodes);
    free(t.edges);
    free(t.by[0]);
    free(t.by[1]);
}
