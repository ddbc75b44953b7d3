/*
 * A request of any signal (the first byte says which). It never crashes; what
 * protobuf-c makes of it and packs again is read the same by both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "otlp.h"
#include "otlp_tree.h"

static const ProtobufCMessageDescriptor *const types[SIGNAL_COUNT] = {
    &otlp__traces_data__descriptor, &otlp__logs_data__descriptor,
    &otlp__metrics_data__descriptor};

static struct batch *decode(enum signal signal, const uint8_t *bytes,
                            size_t len, enum status *status)
{
    char *body = malloc(len ? len : 1);
    struct batch *batch;
    struct slice detail = {NULL, 0};

    if (!body)
        abort();
    slice_copy(body, (struct slice){(const char *)bytes, len});
    batch = batch_new(signal, body, len, NULL);
    batch->arena.cap = 64 << 20;
    batch->received_ns = UINT64_C(1795253952000000000);
    *status = otlp_decode(batch, 0, &detail);
    if (*status != OK && detail.len == 0)
        abort();
    return batch;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum signal signal = size > 0 ? (enum signal)(data[0] % SIGNAL_COUNT) : 0;
    ProtobufCMessage *tree;
    struct batch *batch;
    enum status status;

    if (size == 0)
        return 0;
    batch_free(decode(signal, data + 1, size - 1, &status));
    tree = protobuf_c_message_unpack(types[signal], NULL, size - 1, data + 1);
    if (tree) {
        size_t len = protobuf_c_message_get_packed_size(tree);
        uint8_t *packed = malloc(len ? len : 1);

        if (!packed)
            abort();
        protobuf_c_message_pack(tree, packed);
        batch = decode(signal, packed, len, &status);
        if (status == OK) {
            const char *wrong = tree_compare(batch, tree);

            if (wrong) {
                fprintf(stderr, "%s\n", wrong);
                abort();
            }
        }
        batch_free(batch);
        free(packed);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
    return 0;
}
