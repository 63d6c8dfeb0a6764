/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of adapters: a safetensors file with the tensors base_model.model.NAME.lora_A.weight and .lora_B.weight, as
 * PEFT names them, and in the metadata what they stand beside.
 */
#include "model/adapter.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "tensorfile/safetensors.h"
#include "text/text.h"

#include <string.h>

static const char prefix[] = "base_model.model.", kind_key[] = "maskdm.kind", kind[] = "adapter",
                  options_key[] = "maskdm.lora.options", base_key[] = "maskdm.lora.base",
                  labels_key[] = "maskdm.labels", network_key[] = "maskdm.network";

/* Those of the adapters alone, which lie in a block of the whole or, packed, in one of their own. */
static int list_narrow(struct mdm_params *out, const struct mdm_params *layout, int packed)
{
    for (int i = 0; i < layout->count; i++) {
        int beside[2];

        if (mdm_adapter_beside(layout, i, &beside[0], &beside[1]) < 0)
            continue;
        for (int k = 0; k < 2; k++) {
            const struct mdm_param *p = &layout->list[beside[k]];
            const int at = mdm_params_declare(out, p->name, &p->shape, p->init, p->scale);

            MDM_TRY(at);
            if (!packed)
                out->list[at].at = p->at;
        }
    }
    return MASKDM_OK;
}

/* ---- writing ---- */

static int write_text(struct mdm_safetensors_writer *w, const char *key, struct mdm_text *text)
{
    int status = mdm_text_ok(text);

    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, key, text->data);
    mdm_text_free(text);
    return status;
}

static int write_meta(struct mdm_safetensors_writer *w, const maskdm_model *m)
{
    struct mdm_text options = {0}, labels = {0};

    MDM_TRY(mdm_safetensors_writer_meta(w, "format", "pt"));
    MDM_TRY(mdm_safetensors_writer_meta(w, kind_key, kind));
    MDM_TRY(mdm_safetensors_writer_meta(w, network_key, m->network->name));
    MDM_TRY(mdm_safetensors_writer_meta(w, base_key, m->adapter->base));
    mdm_options_write_json(m->adapter->options, &options);
    MDM_TRY(write_text(w, options_key, &options));
    if (!m->labels.count)
        return MASKDM_OK;
    mdm_labels_write(&m->labels, &labels);
    return write_text(w, labels_key, &labels);
}

int mdm_adapter_save(const maskdm_model *m, enum maskdm_weights which, const char *path)
{
    const struct mdm_tensorfile_source source = mdm_model_source(m->device);
    struct mdm_safetensors_writer *w = NULL;
    struct mdm_params narrow = {0};
    int status;

    if (!m->adapter)
        return mdm_fail(MASKDM_EINVAL, "the model has no adapters to save");
    status = list_narrow(&narrow, &m->layout, 0);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_create(&w);
    if (status == MASKDM_OK)
        status = write_meta(w, m);
    if (status == MASKDM_OK)
        status = mdm_model_write_block(w, &source, &narrow, prefix, mdm_model_block(m, which));
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_save(w, path, 0);
    mdm_safetensors_writer_release(&w);
    mdm_params_free(&narrow);
    return status;
}

/* ---- reading ---- */

static int read_options(struct mdm_adapter **out, const struct mdm_tensorfile *s)
{
    const char *is = mdm_tensorfile_meta(s, kind_key), *json = mdm_tensorfile_meta(s, options_key);
    maskdm_options *o = NULL;
    struct mdm_json j;
    int status;

    *out = NULL;
    if (!is || strcmp(is, kind) != 0 || !json)
        return mdm_fail(MASKDM_EFORMAT, "this is no adapter: its metadata have no \"%s\" or no \"%s\"", kind_key,
                        options_key);
    MDM_TRY(mdm_options_create(&o, &mdm_lora_kind));
    mdm_json_open(&j, json, strlen(json));
    status = mdm_options_read_json(o, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    if (status == MASKDM_OK)
        status = mdm_adapter_create(out, o);
    mdm_options_release(&o);
    return status == MASKDM_OK || status == MASKDM_ENOMEM
               ? status
               : mdm_fail_prefix(MASKDM_EFORMAT, "metadata entry \"%s\"", options_key);
}

/* The weights that the file's adapters were trained beside. */
static int choose(enum maskdm_weights *which, const maskdm_model *base, const struct mdm_tensorfile *s, int any)
{
    const char *theirs = mdm_tensorfile_meta(s, base_key), *network = mdm_tensorfile_meta(s, network_key);
    char found[17];

    if (network && strcmp(network, base->network->name) != 0)
        return mdm_fail(MASKDM_EINVAL, "the adapter is one of a %s, the model a %s", network, base->network->name);
    for (int k = 0; k < 1 + (base->online != NULL); k++) {
        *which = k ? MASKDM_WEIGHTS_ONLINE : MASKDM_WEIGHTS_EMA;
        MDM_TRY(mdm_model_digest(base, *which, found));
        if (theirs && !strcmp(theirs, found))
            return MASKDM_OK;
    }
    *which = MASKDM_WEIGHTS_EMA;
    return any ? MASKDM_OK
               : mdm_fail(MASKDM_EINVAL, "the adapter was trained beside weights %s, which are not the model's",
                          theirs ? theirs : "that its file does not name");
}

static int check_count(const struct mdm_tensorfile *s, const struct mdm_params *narrow, const char *before)
{
    const size_t n = strlen(before);

    for (int64_t i = 0; i < s->count && s->count != narrow->count; i++)
        if (strncmp(s->tensor[i].name, before, n) != 0 || mdm_params_find(narrow, s->tensor[i].name + n) < 0)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is none of the adapter's %d", s->tensor[i].name,
                            narrow->count);
    return MASKDM_OK;
}

/* Into a block of their own, and from there to their places. */
static int read_narrow(maskdm_model *m, struct mdm_tensorfile *s)
{
    const char *before = s->count && !strncmp(s->tensor[0].name, prefix, sizeof prefix - 1) ? prefix : "";
    struct mdm_params narrow = {0};
    void *block = NULL;
    int status = list_narrow(&narrow, &m->layout, 1);
    const size_t bytes = narrow.length * sizeof(float);

    if (status == MASKDM_OK)
        status = mdm_model_check_block(s, &narrow, before);
    if (status == MASKDM_OK)
        status = check_count(s, &narrow, before);
    if (status == MASKDM_OK)
        status = mdm_device_alloc(m->device, &block, bytes, 0, "an adapter");
    if (status == MASKDM_OK)
        status = mdm_model_read_block(m->device, s, &narrow, before, block);
    for (int i = 0; i < narrow.count && status == MASKDM_OK; i++)
        status = mdm_device_copy(
            m->device, m->ema + m->layout.list[mdm_params_find(&m->layout, narrow.list[i].name)].at,
            (float *)block + narrow.list[i].at, (size_t)mdm_shape_numel(&narrow.list[i].shape) * sizeof(float));
    if (block)
        mdm_device_free(m->device, block, bytes);
    mdm_params_free(&narrow);
    return status;
}

static int read_labels(maskdm_model *m, const struct mdm_tensorfile *s)
{
    const char *json = mdm_tensorfile_meta(s, labels_key);

    return json ? mdm_labels_read(&m->labels, json, m->geometry.classes) : MASKDM_OK;
}

static int load(maskdm_model **out, const maskdm_model *base, struct mdm_tensorfile *s, int any)
{
    struct mdm_adapter *adapter;
    enum maskdm_weights which;
    int status;

    MDM_TRY(mdm_device_need_float(base->device, "a model with adapters"));
    MDM_TRY(read_options(&adapter, s));
    status = choose(&which, base, s, any);
    if (status == MASKDM_OK)
        status = mdm_adapt_shell(out, base, which, adapter);
    mdm_adapter_free(&adapter);
    if (status == MASKDM_OK)
        status = read_narrow(*out, s);
    if (status == MASKDM_OK)
        status = read_labels(*out, s);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

int mdm_adapter_load(maskdm_model **out, const maskdm_model *base, const char *path, int any)
{
    struct mdm_tensorfile s;
    int status;

    *out = NULL;
    MDM_TRY(mdm_safetensors_open(&s, path));
    status = load(out, base, &s, any);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}
