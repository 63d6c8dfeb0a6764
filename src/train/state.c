/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training state in one safetensors file: NAME the online weights, ema.NAME, moment1.NAME, moment2.NAME, and the
 * counters as a tensor. The options stand in the metadata and must equal the trainer's; a digest covers every byte.
 * Data position, flips, masks, times and noise all follow from step and seed.
 */
#include "text/json.h"
#include "text/text.h"
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "tensorfile/safetensors.h"

#include <math.h>
#include <string.h>

enum { STEPS, APPLIED, EMA_UPDATES, SKIPPED, BAD, COUNTERS };
static const char counters_name[] = "state.counters";

/* ---- what the options say, as metadata ---- */

/* NULL: none, or a mask of the host's, of which its name and how much it leaves are all that is known. */
static const maskdm_options *mask_options(const maskdm_trainer *tr)
{
    return tr->mask && tr->mask->policy != &mdm_mask_none ? tr->mask->options : NULL;
}

static void count_visible(char out[32], const maskdm_trainer *tr)
{
    mdm_format(out, 32, "%lld", (long long)tr->visible);
}

static int write_meta(struct mdm_safetensors_writer *w, const maskdm_trainer *tr)
{
    const struct {
        const char *key;
        const maskdm_options *options;
    } part[] = {{"maskdm.trainer.options", tr->options},
                {"maskdm.optimizer.options", tr->optimizer->options},
                {"maskdm.ema.options", tr->optimizer->ema_options},
                {"maskdm.mask.options", mask_options(tr)}};
    struct mdm_text text = {0};
    char step[32], visible[32];
    int status;

    MDM_TRY(mdm_model_write_meta(w, tr->model));
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.kind", "state"));
    mdm_format(step, sizeof step, "%lld", (long long)tr->optimizer->steps);
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.step", step));
    for (size_t i = 0; i < MDM_LENGTH(part); i++) {
        if (!part[i].options)
            continue;
        mdm_options_write_json(part[i].options, &text);
        status = mdm_text_ok(&text);
        if (status == MASKDM_OK)
            status = mdm_safetensors_writer_meta(w, part[i].key, text.data);
        mdm_text_free(&text);
        MDM_TRY(status);
    }
    count_visible(visible, tr);
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.mask", mdm_mask_name(tr->mask)));
    MDM_TRY(mdm_safetensors_writer_meta(w, "maskdm.visible", visible));
    return *tr->data ? mdm_safetensors_writer_meta(w, "maskdm.data", tr->data) : MASKDM_OK;
}

int mdm_trainer_save(maskdm_trainer *tr, const char *path)
{
    const struct mdm_safetensors_source source = mdm_model_source(tr->device);
    const struct mdm_params *layout = &tr->model->layout;
    const maskdm_optimizer *o = tr->optimizer;
    const int64_t counters[COUNTERS] = {o->steps, o->applied, o->ema_updates, tr->skipped, tr->bad_in_a_row};
    const int64_t shape[1] = {COUNTERS};
    struct mdm_safetensors_writer *w;
    int status;

    if (tr->broken)
        return mdm_fail(MASKDM_EINVAL, "the trainer holds half of a state file; there is nothing to save");
    MDM_TRY(mdm_optimizer_check(o));
    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = write_meta(w, tr);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_add(w, counters_name, "I64", shape, 1, counters);
    if (status == MASKDM_OK)
        status = mdm_model_write_block(w, &source, layout, "", tr->weights);
    if (status == MASKDM_OK && o->ema)
        status = mdm_model_write_block(w, &source, layout, "ema.", o->ema);
    if (status == MASKDM_OK)
        status = mdm_model_write_block(w, &source, layout, "moment1.", o->moment1);
    if (status == MASKDM_OK)
        status = mdm_model_write_block(w, &source, layout, "moment2.", o->moment2);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_save(w, path, 1);
    mdm_safetensors_writer_release(&w);
    return status;
}

/* ---- loading ---- */

static int compare_json(struct mdm_tensorfile *s, const char *key, const char *what, const maskdm_options *ours)
{
    const char *json = mdm_tensorfile_meta(s, key), *name;
    char *theirs = NULL, *mine = NULL;
    maskdm_options *o;
    struct mdm_json j;
    int status;

    if (!json)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    MDM_TRY(mdm_options_create(&o, mdm_options_kind(ours)));
    mdm_json_open(&j, json, strlen(json));
    status = mdm_options_read_json(o, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    if (status < 0 && status != MASKDM_ENOMEM)
        status = mdm_fail_prefix(MASKDM_EFORMAT, "metadata entry \"%s\"", key);
    if (status == MASKDM_OK)
        status = mdm_options_difference(o, ours, &name, &theirs, &mine);
    if (status == MASKDM_OK && name)
        status = mdm_fail(MASKDM_EINVAL, "the file's %s has %s %s, this one %s", what, name, theirs, mine);
    mdm_free(theirs);
    mdm_free(mine);
    mdm_options_release(&o);
    return status;
}

static int compare_text(struct mdm_tensorfile *s, const char *key, const char *what, const char *ours)
{
    const char *theirs = mdm_tensorfile_meta(s, key);

    if (!theirs)
        return mdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    if (strcmp(theirs, ours) != 0)
        return mdm_fail(MASKDM_EINVAL, "the file's %s is %s, this one %s", what, theirs, ours);
    return MASKDM_OK;
}

static int compare_options(struct mdm_tensorfile *s, const maskdm_trainer *tr)
{
    char visible[32];

    MDM_TRY(compare_text(s, "maskdm.network", "network", tr->model->network->name));
    MDM_TRY(compare_json(s, "maskdm.network.options", "network", tr->model->options));
    MDM_TRY(compare_json(s, "maskdm.scheduler.options", "scheduler", tr->model->scheduler->options));
    MDM_TRY(compare_json(s, "maskdm.optimizer.options", "optimizer", tr->optimizer->options));
    MDM_TRY(compare_json(s, "maskdm.ema.options", "average", tr->optimizer->ema_options));
    MDM_TRY(compare_json(s, "maskdm.trainer.options", "trainer", tr->options));
    MDM_TRY(compare_text(s, "maskdm.mask", "mask", mdm_mask_name(tr->mask)));
    if (mask_options(tr))
        MDM_TRY(compare_json(s, "maskdm.mask.options", "mask", mask_options(tr)));
    count_visible(visible, tr);
    return compare_text(s, "maskdm.visible", "number of visible patches", visible);
}

/* Damage comes before any other complaint: a flipped option is not an option that differs. */
static int check_whole(struct mdm_tensorfile *s)
{
    const char *kind = mdm_tensorfile_meta(s, "maskdm.kind");

    if (!kind || strcmp(kind, "state") != 0)
        return mdm_fail(MASKDM_EFORMAT, "this is not a training state");
    MDM_TRY(mdm_safetensors_verify(s));
    return mdm_model_check_format(s);
}

static int read_counters(struct mdm_tensorfile *s, int64_t counters[COUNTERS])
{
    int64_t at = mdm_tensorfile_find(s, counters_name);
    const char *step = mdm_tensorfile_meta(s, "maskdm.step");
    char found[32];

    if (at < 0 || s->tensor[at].elements != COUNTERS)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is missing or has not %d elements", counters_name,
                        COUNTERS);
    MDM_TRY(mdm_tensorfile_read_i64(s, at, counters, COUNTERS));
    for (int i = 0; i < COUNTERS; i++)
        if (counters[i] < 0 || counters[i] > counters[STEPS])
            return mdm_fail(MASKDM_EFORMAT, "counter %d of \"%s\" is %lld at step %lld", i, counters_name,
                            (long long)counters[i], (long long)counters[STEPS]);
    mdm_format(found, sizeof found, "%lld", (long long)counters[STEPS]);
    if (!step || strcmp(step, found) != 0)
        return mdm_fail(MASKDM_EFORMAT, "metadata say step %s, the counters %s", step ? step : "nothing", found);
    return MASKDM_OK;
}

/* Blocks in file order; with `check` their shapes alone. */
static int read_blocks(struct mdm_tensorfile *s, maskdm_trainer *tr, int check)
{
    maskdm_optimizer *o = tr->optimizer;
    const struct {
        const char *prefix;
        float *block;
    } part[] = {{"", tr->weights}, {"ema.", o->ema}, {"moment1.", o->moment1}, {"moment2.", o->moment2}};

    for (size_t i = 0; i < MDM_LENGTH(part); i++) {
        if (!part[i].block)
            continue; /* no EMA */
        if (check)
            MDM_TRY(mdm_model_check_block(s, &tr->model->layout, part[i].prefix));
        else
            MDM_TRY(mdm_model_read_block(tr->model->device, s, &tr->model->layout, part[i].prefix,
                                         part[i].block));
    }
    return MASKDM_OK;
}

/* A trainer of a model without names takes those of the file; where both have them, its own stay. */
static int follow_labels(maskdm_trainer *tr, struct mdm_tensorfile *s, struct mdm_labels *theirs)
{
    const struct mdm_labels *ours = &tr->model->labels;
    int64_t at;

    MDM_TRY(mdm_labels_read(theirs, mdm_tensorfile_meta(s, "maskdm.labels"), tr->model->geometry.classes));
    at = mdm_labels_difference(theirs, ours);
    if (at >= 0)
        mdm_log_line(mdm_control_log(tr->control), MASKDM_LOG_WARN,
                     "label %lld is %s in the file and %s in this trainer", (long long)at, theirs->name[at],
                     ours->name[at]);
    return MASKDM_OK;
}

/* Everything is judged, digest included, before the first block is touched. What then fails can only be the disk, and
 * leaves the trainer marked. */
static int load(maskdm_trainer *tr, struct mdm_tensorfile *s, struct mdm_labels *labels,
                struct mdm_metadata *metadata)
{
    maskdm_optimizer *o = tr->optimizer;
    const char *data = mdm_tensorfile_meta(s, "maskdm.data");
    int64_t counters[COUNTERS];

    MDM_TRY(check_whole(s));
    MDM_TRY(compare_options(s, tr));
    MDM_TRY(read_counters(s, counters));
    MDM_TRY(follow_labels(tr, s, labels));
    MDM_TRY(mdm_metadata_read(metadata, s));
    MDM_TRY(read_blocks(s, tr, 1));
    tr->broken = 1;
    MDM_TRY(read_blocks(s, tr, 0));
    tr->broken = o->torn = 0;
    mdm_format(tr->data, sizeof tr->data, "%s", data ? data : "");
    if (!tr->model->labels.count) {
        tr->model->labels = *labels;
        memset(labels, 0, sizeof *labels);
    }
    if (!tr->model->metadata.count) {
        tr->model->metadata = *metadata;
        memset(metadata, 0, sizeof *metadata);
    }
    o->steps = counters[STEPS];
    o->applied = counters[APPLIED];
    o->ema_updates = counters[EMA_UPDATES];
    o->last_skipped = 0;
    o->grad_norm = (double)NAN;
    tr->skipped = counters[SKIPPED];
    tr->bad_in_a_row = counters[BAD];
    tr->last_loss = (double)NAN;
    tr->stage = MDM_STAGE_EMPTY;
    return mdm_trainer_zero_gradients(tr);
}

int mdm_trainer_load(maskdm_trainer *tr, const char *path)
{
    struct mdm_labels labels = {0};
    struct mdm_metadata metadata = {0};
    struct mdm_tensorfile s;
    int status;

    MDM_TRY(mdm_safetensors_open(&s, path));
    status = load(tr, &s, &labels, &metadata);
    mdm_metadata_free(&metadata);
    mdm_labels_free(&labels);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}
