/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a model is drawn where nobody says otherwise: what a checkpoint's own program does, so that its pictures come
 * out as they do there.
 */
#include "model/model.h"

#include "base/error.h"
#include "diffusion/options.h"
#include "tensorfile/safetensors.h"

#include <string.h>

static const char key[] = "maskdm.sampler.options";

int mdm_model_write_sampler(const maskdm_model *model, struct mdm_safetensors_writer *w)
{
    struct mdm_text text = {0};
    int status;

    mdm_options_write_json_given(model->sampler, &text);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, key, text.data);
    mdm_text_free(&text);
    return status;
}

int mdm_model_read_sampler(maskdm_model *model, const struct mdm_tensorfile *s)
{
    const char *json = mdm_tensorfile_meta(s, key);
    int status;

    if (!json)
        return MASKDM_OK;
    MDM_TRY(mdm_options_create(&model->sampler, &mdm_sampler_kind));
    status = mdm_options_parse_json(model->sampler, json, strlen(json));
    if (status >= 0)
        status = mdm_options_check(model->sampler);
    if (status < 0)
        return mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT, "metadata entry \"%s\"", key);
    return MASKDM_OK;
}
