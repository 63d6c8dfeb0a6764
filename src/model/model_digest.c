/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tells a model's weights from others: whatever decides what a network of them predicts, and nothing of the file
 * that they came from.
 */
#include "model/model.h"

#include "base/digest.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "text/text.h"

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
        mdm_digest_add(&d, mdm_model_block(model, which), mdm_model_bytes(model));
        mdm_digest_text(&d, out);
    }
    mdm_text_free(&options);
    return status;
}
