/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Model files: one safetensors file that describes itself. Plain names are the EMA weights (the online ones where EMA
 * is off), online.NAME the online ones; the metadata hold network and scheduler. Nothing of threads, paths or times
 * is in it, so that equal weights give equal bytes. A training state is read as the model that it would publish: its
 * plain names are the online weights, ema.NAME the average.
 */
#include "model/model.h"

#include "base/error.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "tensorfile/safetensors.h"
#include "text/json.h"

#include <string.h>

/* Every tensor is one that the network knows, in two sets. Shapes were checked by name, so counting suffices. */
static int check_extra(const struct mdm_tensorfile *s, const struct mdm_params *layout)
{
    if (s->count == (int64_t)layout->count * 2)
        return MASKDM_OK;
    for (int64_t i = 0; i < s->count; i++) {
        const char *name = s->tensor[i].name;

        if (strncmp(name, "online.", 7) == 0)
            name += 7;
        if (mdm_params_find(layout, name) < 0)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is none of the network's %d", s->tensor[i].name,
                            layout->count);
    }
    return mdm_fail(MASKDM_EFORMAT, "%lld tensors where the network has %d", (long long)s->count,
                    layout->count * 2);
}

static int parse(maskdm_options **out, const struct mdm_option_kind *kind, const char *json, const char *key)
{
    struct mdm_json j;
    int status;

    *out = NULL;
    if (!json)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    MDM_TRY(mdm_options_create(out, kind));
    mdm_json_open(&j, json, strlen(json));
    status = mdm_options_read_json(*out, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    if (status < 0) {
        mdm_options_release(out);
        return mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT, "metadata entry \"%s\"", key);
    }
    return MASKDM_OK;
}

static int make_from_meta(maskdm_model **out, maskdm_device *device, const struct mdm_tensorfile *s)
{
    const char *name = mdm_tensorfile_meta(s, "maskdm.network");
    const struct mdm_network *network = name ? mdm_network_find(name) : NULL;
    maskdm_options *options = NULL, *schedule = NULL;
    maskdm_scheduler *scheduler = NULL;
    int status;

    if (mdm_model_file_is(s, "adapter"))
        return mdm_fail(MASKDM_EFORMAT, "this is an adapter, which goes beside the weights of the model that it was "
                                        "trained from, or is merged into them");
    MDM_TRY(mdm_model_check_format(s));
    if (!name)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"maskdm.network\" is missing: not a maskdm model");
    if (!network)
        return mdm_fail(MASKDM_EVERSION, "network \"%s\" is none that this version knows", name);
    status =
        parse(&options, network->kind, mdm_tensorfile_meta(s, "maskdm.network.options"), "maskdm.network.options");
    if (status == MASKDM_OK)
        status = parse(&schedule, &mdm_scheduler_kind, mdm_tensorfile_meta(s, "maskdm.scheduler.options"),
                       "maskdm.scheduler.options");
    if (status == MASKDM_OK)
        status = mdm_scheduler_create(&scheduler, schedule);
    if (status == MASKDM_OK)
        status = mdm_model_shell(out, device, name, options, scheduler);
    if (status == MASKDM_EINVAL)
        status = MASKDM_EFORMAT;
    mdm_scheduler_drop(&scheduler);
    mdm_options_release(&schedule);
    mdm_options_release(&options);
    return status;
}

int mdm_model_shell_of(maskdm_model **out, maskdm_device *device, const struct mdm_tensorfile *s)
{
    int status;

    *out = NULL;
    MDM_TRY(make_from_meta(out, device, s));
    status = mdm_labels_read(&(*out)->labels, mdm_tensorfile_meta(s, "maskdm.labels"), (*out)->geometry.classes);
    if (status == MASKDM_OK)
        status = mdm_metadata_read(&(*out)->metadata, s);
    if (status == MASKDM_OK)
        status = mdm_model_read_sampler(*out, s);
    if (status == MASKDM_OK)
        status = mdm_past_read(&(*out)->past, mdm_tensorfile_meta(s, "maskdm.masks"));
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

enum { BOTH = -1 };

/* What stands before the names of a file's sets of weights. */
struct sets {
    const char *ema, *online; /* online NULL: there is one set */
};

/* Those of a model file are all its tensors. */
static int find_sets_of_model(struct sets *out, struct mdm_tensorfile *s, const struct mdm_params *layout)
{
    const int two = layout->count > 0 && s->count > layout->count;

    *out = (struct sets){"", two ? "online." : NULL};
    MDM_TRY(mdm_model_check_block(s, layout, ""));
    if (!two)
        return MASKDM_OK;
    MDM_TRY(check_extra(s, layout));
    return mdm_model_check_block(s, layout, out->online);
}

/* Those of a training state stand among its moments. As with the trainer, damage comes before any other complaint. */
static int find_sets_of_state(struct sets *out, struct mdm_tensorfile *s, const struct mdm_params *layout)
{
    char first[256];

    MDM_TRY(mdm_safetensors_verify(s));
    if (mdm_tensorfile_meta(s, "maskdm.lora.options"))
        return mdm_fail(MASKDM_EFORMAT, "this is the state of a training of adapters, whose adapter.safetensors goes "
                                        "beside the weights of their model");
    mdm_format(first, sizeof first, "ema.%s", layout->list[0].name);
    *out = mdm_tensorfile_find(s, first) >= 0 ? (struct sets){"ema.", ""} : (struct sets){"", NULL};
    MDM_TRY(mdm_model_check_block(s, layout, out->ema));
    return out->online ? mdm_model_check_block(s, layout, out->online) : MASKDM_OK;
}

/* Shapes are held against the file before the blocks are taken, so that a header that claims a giant network costs
 * nothing. `which`: BOTH, or the only set of weights that is wanted. */
static int load(maskdm_model **out, maskdm_device *device, struct mdm_tensorfile *s, int which)
{
    struct sets sets = {0};
    maskdm_model *m;
    int status;

    *out = NULL;
    MDM_TRY(mdm_model_shell_of(&m, device, s));
    status = (mdm_model_file_is(s, "state") ? find_sets_of_state : find_sets_of_model)(&sets, s, &m->layout);
    if (status == MASKDM_OK)
        status = mdm_model_take(m, sets.online && which == BOTH);
    if (status == MASKDM_OK)
        status = mdm_model_read_block(device, s, &m->layout,
                                      sets.online && which == MASKDM_WEIGHTS_ONLINE ? sets.online : sets.ema, m->ema);
    if (status == MASKDM_OK && m->online)
        status = mdm_model_read_block(device, s, &m->layout, sets.online, m->online);
    if (status < 0) {
        mdm_model_drop(&m);
        return status;
    }
    *out = m;
    return MASKDM_OK;
}

static int load_path(maskdm_model **out, maskdm_device *device, const char *path, int which)
{
    struct mdm_tensorfile s;
    int status;

    *out = NULL;
    MDM_TRY(mdm_safetensors_open(&s, path));
    status = load(out, device, &s, which);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

static int load_bytes(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size, int which)
{
    struct mdm_tensorfile s;
    int status;

    *out = NULL;
    MDM_TRY(mdm_safetensors_open_memory(&s, bytes, size));
    status = load(out, device, &s, which);
    mdm_tensorfile_close(&s);
    return status;
}

int mdm_model_load(maskdm_model **out, maskdm_device *device, const char *path)
{
    return load_path(out, device, path, BOTH);
}

int mdm_model_load_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size)
{
    return load_bytes(out, device, bytes, size, BOTH);
}

int mdm_model_load_one(maskdm_model **out, maskdm_device *device, const char *path, enum maskdm_weights which)
{
    return load_path(out, device, path, which);
}

int mdm_model_load_one_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size,
                              enum maskdm_weights which)
{
    return load_bytes(out, device, bytes, size, which);
}
