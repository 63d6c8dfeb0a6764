/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training state in one safetensors file: NAME the online weights, ema.NAME, moment1.NAME, moment2.NAME, ema2.NAME ..
 * the averages of further widths, and the counters as a tensor. The options stand in the metadata and must equal the
 * trainer's; a digest covers every byte. Data position, flips, masks, times and noise all follow from step and seed.
 */
#include "train/state_meta.h"
#include "train/trainer.h"

#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <math.h>
#include <string.h>

enum { STEPS, APPLIED, EMA_UPDATES, SKIPPED, BAD, COUNTERS };
static const char counters_name[] = "state.counters";

/* Those of the optimizer, in file order; NULL where it has none. */
struct block {
    const char *prefix;
    float *values;
};
enum { OPTIMIZER_BLOCKS = 3 + MDM_WIDTHS - 1 };

static struct block get_block(const maskdm_optimizer *o, int i)
{
    const struct block all[OPTIMIZER_BLOCKS] = {{"ema.", o->ema},         {"moment1.", o->moment1},
                                                {"moment2.", o->moment2}, {"ema2.", o->further[0]},
                                                {"ema3.", o->further[1]}, {"ema4.", o->further[2]}};

    return all[i];
}

int mdm_trainer_save(maskdm_trainer *tr, const char *path)
{
    const struct mdm_tensorfile_source source = mdm_model_source(tr->device);
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
    status = mdm_state_write_meta(w, tr);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_add(w, counters_name, "I64", shape, 1, counters);
    if (status == MASKDM_OK)
        status = mdm_model_write_block(w, &source, layout, "", tr->weights);
    for (int i = 0; status == MASKDM_OK && i < OPTIMIZER_BLOCKS; i++)
        if (get_block(o, i).values)
            status = mdm_model_write_block(w, &source, layout, get_block(o, i).prefix, get_block(o, i).values);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_save(w, path, 1);
    mdm_safetensors_writer_release(&w);
    return status;
}

/* ---- loading ---- */

/* Damage comes before any other complaint: a flipped option is not an option that differs. */
static int check_whole(struct mdm_tensorfile *s)
{
    if (!mdm_model_file_is(s, "state"))
        return mdm_fail(MASKDM_EFORMAT, "this is not a training state");
    MDM_TRY(mdm_safetensors_verify(s));
    return mdm_model_check_format(s);
}

/* Of stages before this one there may be something in them, but in their own number. */
static int read_counters(struct mdm_tensorfile *s, const maskdm_trainer *tr, int64_t counters[COUNTERS])
{
    int64_t at = mdm_tensorfile_find(s, counters_name);
    const char *step = mdm_tensorfile_meta(s, "maskdm.step");
    char found[32];

    if (at < 0 || s->tensor[at].elements != COUNTERS)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is missing or has not %d elements", counters_name,
                        COUNTERS);
    MDM_TRY(mdm_tensorfile_read_i64(s, at, counters, COUNTERS));
    for (int i = 0; i < COUNTERS; i++)
        if (counters[i] < 0 || counters[i] > counters[STEPS] + (i == STEPS || i == BAD ? 0 : tr->stage_first))
            return mdm_fail(MASKDM_EFORMAT, "counter %d of \"%s\" is %lld at step %lld", i, counters_name,
                            (long long)counters[i], (long long)counters[STEPS]);
    mdm_format(found, sizeof found, "%lld", (long long)(counters[STEPS] + tr->stage_first));
    if (!step || strcmp(step, found) != 0)
        return mdm_fail(MASKDM_EFORMAT, "metadata say step %s, the counters %s", step ? step : "nothing", found);
    return MASKDM_OK;
}

/* Blocks in file order; with `check` their shapes alone. */
static int read_blocks(struct mdm_tensorfile *s, maskdm_trainer *tr, int check)
{
    const struct mdm_params *layout = &tr->model->layout;

    for (int i = -1; i < OPTIMIZER_BLOCKS; i++) {
        const struct block b = i < 0 ? (struct block){"", tr->weights} : get_block(tr->optimizer, i);

        if (!b.values)
            continue;
        if (check)
            MDM_TRY(mdm_model_check_block(s, layout, b.prefix));
        else
            MDM_TRY(mdm_model_read_block(tr->model->device, s, layout, b.prefix, b.values));
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

/* What a state says beside its numbers and blocks, in memory of its own. */
struct said {
    struct mdm_labels labels;
    struct mdm_metadata metadata;
    struct mdm_host_rules host;
    struct mdm_past past; /* the masks of the stages before this one, too */
};

static int read_said(struct said *said, maskdm_trainer *tr, struct mdm_tensorfile *s, const char *const *may_differ)
{
    MDM_TRY(follow_labels(tr, s, &said->labels));
    MDM_TRY(mdm_metadata_read(&said->metadata, s));
    said->past = tr->model->past;
    if (tr->stage_number > 1)
        MDM_TRY(mdm_past_read(&said->past, mdm_tensorfile_meta(s, "maskdm.masks")));
    return mdm_state_read_host(&said->host, s, tr->optimizer, may_differ);
}

/* What was there in place of it is left in `said`. */
static void adopt_said(maskdm_trainer *tr, struct said *said)
{
    const struct mdm_host_rules before = tr->optimizer->host;

    if (!tr->model->labels.count) {
        tr->model->labels = said->labels;
        memset(&said->labels, 0, sizeof said->labels);
    }
    if (!tr->model->metadata.count) {
        tr->model->metadata = said->metadata;
        memset(&said->metadata, 0, sizeof said->metadata);
    }
    tr->model->past = said->past;
    tr->optimizer->host = said->host;
    said->host = before;
}

/* Everything is judged, digest included, before the first block is touched. What then fails can only be the disk, and
 * leaves the trainer marked. */
static int load(maskdm_trainer *tr, struct mdm_tensorfile *s, struct said *said, const char *const *may_differ)
{
    maskdm_optimizer *o = tr->optimizer;
    const char *data = mdm_tensorfile_meta(s, "maskdm.data");
    int64_t counters[COUNTERS];

    MDM_TRY(check_whole(s));
    MDM_TRY(mdm_state_compare(s, tr, may_differ));
    MDM_TRY(read_counters(s, tr, counters));
    MDM_TRY(read_said(said, tr, s, may_differ));
    MDM_TRY(read_blocks(s, tr, 1));
    tr->broken = 1;
    MDM_TRY(read_blocks(s, tr, 0));
    tr->broken = o->torn = 0;
    mdm_format(tr->data, sizeof tr->data, "%s", data ? data : "");
    adopt_said(tr, said);
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

int mdm_trainer_load(maskdm_trainer *tr, const char *path, const char *const *may_differ)
{
    struct said said = {0};
    struct mdm_tensorfile s;
    int status;

    if (may_differ)
        MDM_TRY(mdm_state_check_names(tr->optimizer, may_differ));
    MDM_TRY(mdm_safetensors_open(&s, path));
    tr->ranks.met = NULL; /* whatever the other ranks load */
    status = load(tr, &s, &said, may_differ);
    mdm_host_rules_free(&said.host);
    mdm_metadata_free(&said.metadata);
    mdm_labels_free(&said.labels);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}
