/*
 * mcp_prompts - texts that a person starts a conversation with.
 *
 * Purpose:   a prompt is a row: its arguments, and a text in which {name} is
 *            replaced by an argument.
 * Ownership: constant tables.
 * Threads:   one request, one thread.
 * Errors:    -32602: unknown prompt, a required argument that is missing.
 */
#ifndef MCP_PROMPTS_H
#define MCP_PROMPTS_H

#include "mcp_message.h"

struct mcp_prompt_argument {
    const char *name, *description;
    const char *preset; /* in the text if it is absent; NULL: it is required */
};

struct mcp_prompt {
    const char *name, *title, *description;
    const struct mcp_prompt_argument *arguments; /* ended by {0}; NULL: none */
    const char *text;
};

/* Ended by {0}; mcp_contents.c. */
extern const struct mcp_prompt mcp_prompt_rows[];

/* ---- the methods ---- */

void mcp_list_prompts(struct mcp_message *message);
void mcp_get_prompt(struct mcp_message *message);

#endif
