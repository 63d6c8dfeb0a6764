/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model file out of the host's hands. Weights are read by all threads of the device, and a callback runs on the
 * caller's alone: so it is gathered whole before it is read.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

/* All that the host gives, behind what is there. */
static int gather(struct mdm_text *file, maskdm_read_callback read, void *user)
{
    enum { PIECE = 64 << 10 };
    char *piece = mdm_need(PIECE, 1, "a piece of a model file");
    int64_t n = piece ? 1 : 0;

    while (n > 0) {
        n = read(user, piece, PIECE);
        if (n > 0 && n <= PIECE)
            mdm_text_add_n(file, piece, (size_t)n);
        if (n > PIECE || file->failed)
            break;
    }
    mdm_free(piece);
    if (!piece || file->failed)
        return piece ? mdm_text_ok(file) : MASKDM_ENOMEM;
    if (n > PIECE)
        return mdm_fail(MASKDM_EINVAL, "the host gave %lld bytes of a model file where %d were asked for",
                        (long long)n, (int)PIECE);
    return n < 0 ? mdm_fail(MASKDM_ECANCELED, "the host ended the model file behind %zu bytes", file->length)
                 : MASKDM_OK;
}

int mdm_model_load_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user)
{
    struct mdm_text file = {0};
    int status;

    *out = NULL;
    status = gather(&file, read, user);
    if (status == MASKDM_OK)
        status = mdm_model_load_memory(out, device, file.data ? file.data : "", file.length);
    mdm_text_free(&file);
    return status;
}

int mdm_model_load_one_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user,
                            enum maskdm_weights which)
{
    struct mdm_text file = {0};
    int status;

    *out = NULL;
    status = gather(&file, read, user);
    if (status == MASKDM_OK)
        status = mdm_model_load_one_memory(out, device, file.data ? file.data : "", file.length, which);
    mdm_text_free(&file);
    return status;
}
