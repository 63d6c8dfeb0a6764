/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tells a model's weights from others: whatever decides what a network of them predicts, and nothing of the file
 * that they came from.
 */
#include "model/model.h"

#include "diffusion/scheduler.h"
#include "util/digest.h"
#include "util/error.h"

int maskdm_weights_digest(const maskdm_model *model, enum maskdm_weights which, char out[17])
{
    struct maskdm_text options = {0};
    struct maskdm_digest d;
    int status;

    maskdm_text_add(&options, model->network->name);
    maskdm_optionset_write_json(model->options, &options);
    maskdm_optionset_write_json(model->scheduler->options, &options);
    status = maskdm_text_ok(&options);
    if (status == MASKDM_OK) {
        maskdm_digest_start(&d);
        maskdm_digest_add(&d, options.data, options.length);
        maskdm_digest_add(&d, maskdm_weights_block(model, which), maskdm_weights_bytes(model));
        maskdm_digest_text(&d, out);
    }
    maskdm_text_free(&options);
    return status;
}
