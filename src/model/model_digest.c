/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tells a model's weights from others: whatever decides what a network of them predicts, and nothing of the file
 * that they came from.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "text/text.h"

enum { PIECE = 1 << 18 };

static int add_block(struct mdm_digest *d, const maskdm_model *model, enum maskdm_weights which)
{
    const unsigned char *block = (const unsigned char *)mdm_model_block(model, which);
    const size_t bytes = mdm_model_bytes(model);
    unsigned char *piece = mdm_need_aligned(PIECE, "a digest of weights");
    int status = piece ? MASKDM_OK : MASKDM_ENOMEM;

    for (size_t at = 0, n; at < bytes && status == MASKDM_OK; at += n) {
        n = bytes - at < PIECE ? bytes - at : PIECE;
        status = mdm_device_download(model->device, piece, block + at, n);
        if (status == MASKDM_OK)
            mdm_digest_add(d, piece, n);
    }
    mdm_free(piece);
    return status;
}

int mdm_model_digest(const maskdm_model *model, enum maskdm_weights which, char out[17])
{
    struct mdm_text options = {0};
    struct mdm_digest d;
    int status;

    mdm_text_add(&options, model->network->name);
    mdm_options_write_json(model->options, &options);
    mdm_options_write_json(model->scheduler->options, &options);
    status = mdm_text_ok(&options);
    if (status == MASKDM_OK) {
        mdm_digest_start(&d);
        mdm_digest_add(&d, options.data, options.length);
        status = add_block(&d, model, which);
        mdm_digest_text(&d, out);
    }
    mdm_text_free(&options);
    return status;
}
