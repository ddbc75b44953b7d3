/*
 * A body that is too large to be held: pieces of it, each made when the client
 * has read the one before. In: the first piece and a function that makes the
 * others. Out: chunks, as the library asks for them.
 *
 * The library asks for as much as the buffer of the connection holds, which is
 * less than a piece. A deadline that moves on with what is sent ends slow
 * clients; a body that ends early has no last chunk, so the client knows.
 */
#include "http_int.h"

static ssize_t next_bytes(void *arg, uint64_t at, char *to, size_t room)
{
    struct server_request *sr = arg;
    struct http_response *response = &sr->request.response;
    struct buf *piece = &response->body;

    (void)at;
    while (sr->piece_sent == piece->len) {
        if (!response->produce)
            return MHD_CONTENT_READER_END_OF_STREAM;
        buf_reset(piece);
        sr->piece_sent = 0;
        if (!response->produce(response->produce_arg, piece))
            response->produce = NULL;
        if (piece->status != OK)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (room > piece->len - sr->piece_sent)
        room = piece->len - sr->piece_sent;
    memcpy(to, piece->ptr + sr->piece_sent, room);
    sr->piece_sent += room;
    slot_sent(sr->conn->slot, room);
    return (ssize_t)room;
}

/* To HEAD the library sends the last chunk of a body in chunks, which is there
 * no body but the beginning of the next answer: without chunks it sends none,
 * and closes the connection. */
struct MHD_Response *http_stream(struct server_request *sr)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, HTTP_STREAM_PIECE, next_bytes, sr, NULL);

    if (response && strcmp(sr->method, "HEAD") == 0)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
                                 MHD_RO_END);
    return response;
}
