/*
 * Lines of the audit for requests that are refused for who asks. In: a stream
 * and the status it is refused with. Out: audit_write(), in the words of HTTP.
 */
#include "audit.h"
#include "grpc_int.h"
#include "mem.h"

void grpc_audit_keep(struct grpc_stream *stream, struct slice user_agent)
{
    if (!audit_is_on() || stream->user_agent.ptr)
        return;
    user_agent = slice_truncate(user_agent, AUDIT_TEXT_MAX);
    stream->user_agent = (struct slice){
        mem_copy(user_agent.ptr, user_agent.len), user_agent.len};
}

/* False: it is not about who asks. */
static bool describe(const struct grpc_stream *stream, enum status status,
                     const char *why, struct audit_event *event)
{
    event->result = AUDIT_DENIED;
    if (status == ERR_FORBIDDEN) {
        event->status = 403;
        event->reason = "the grants do not cover it";
    } else if (status == ERR_MISDIRECTED) {
        event->status = 421;
        event->reason = why;
    } else if (status == ERR_UNAUTHENTICATED) {
        event->status = 401;
        event->result = AUDIT_UNAUTHENTICATED;
        event->reason = stream->reason;
    } else {
        return false;
    }
    return true;
}

void grpc_audit(const struct grpc_stream *stream, enum status status,
                const char *why)
{
    const struct grpc_request *request = &stream->request;
    struct audit_event event = {
        .category = AUDIT_AUTHORIZATION,
        .subject = request->subject,
        .method = SLICE("POST"),
        .address = request->from.bytes,
        .user_agent = stream->user_agent,
    };

    if (!audit_is_on() || !describe(stream, status, why, &event))
        return;
    if (request->method) {
        event.path = slice_of(request->method->path);
        event.action = action_text(request->method->action);
    }
    audit_write(&event);
}
