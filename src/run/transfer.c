/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run that begins from a model of other images: what its options may say otherwise than the file, and what became
 * of the file's weights, which is told in lines and kept in the folder as transfer.json.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "data/data.h"
#include "model/classes.h"
#include "model/transfer.h"
#include "run/label_names.h"
#include "run/record.h"

#include <string.h>

static const char *const words[] = {"taken", "resized", "mapped", "computed", "fresh", "left"};

struct report {
    const struct mdm_run *run;
    struct mdm_text *json;
    int64_t count[MDM_LENGTH(words)];
};

static void add_shape(struct mdm_text *out, const int64_t *shape, int rank)
{
    for (int i = 0; i < rank; i++)
        mdm_text_addf(out, "%s%lld", i ? "," : "", (long long)shape[i]);
}

static void add_json(struct mdm_text *out, const char *key, const int64_t *shape, int rank)
{
    mdm_text_addf(out, ", \"%s\": ", key);
    mdm_text_add(out, shape ? "[" : "null");
    add_shape(out, shape, rank);
    mdm_text_add(out, shape ? "]" : "");
}

/* "pos_embed [1,17,16] -> [1,65,16] resized" */
static void tell(const struct report *r, const char *name, int what, const int64_t *from, int from_rank,
                 const int64_t *to, int to_rank)
{
    struct mdm_text line = {0};

    if (from) {
        mdm_text_add(&line, " [");
        add_shape(&line, from, from_rank);
        mdm_text_add(&line, "]");
    }
    if (to) {
        mdm_text_add(&line, from ? " -> [" : " [");
        add_shape(&line, to, to_rank);
        mdm_text_add(&line, "]");
    }
    if (!line.failed)
        mdm_log_line(mdm_control_log(r->run->control), MASKDM_LOG_INFO, "%s%s %s", name, line.data, words[what]);
    mdm_text_free(&line);
}

static void note(void *user, const char *name, int what, const int64_t *from, int from_rank, const int64_t *to,
                 int to_rank)
{
    struct report *r = user;

    mdm_text_addf(r->json, "%s\n{\"name\": ", r->json->length ? "," : "");
    mdm_text_add_json_bytes(r->json, name);
    mdm_text_addf(r->json, ", \"what\": \"%s\"", words[what]);
    add_json(r->json, "from", from, from_rank);
    add_json(r->json, "to", to, to_rank);
    mdm_text_add(r->json, "}");
    r->count[what]++;
    if (what != MASKDM_TRANSFER_TAKEN)
        tell(r, name, what, from, from_rank, to, to_rank);
}

static void tell_sum(const struct report *r)
{
    struct mdm_text line = {0};

    for (size_t i = 0; i < MDM_LENGTH(words); i++)
        if (r->count[i])
            mdm_text_addf(&line, "%s%lld %s", line.length ? ", " : "", (long long)r->count[i], words[i]);
    if (!line.failed)
        mdm_log_line(mdm_control_log(r->run->control), MASKDM_LOG_INFO, "tensors of %s: %s", r->run->told.init,
                     line.data);
    mdm_text_free(&line);
}

/* The number of the class that each goes on from; null: the mean of all. */
static void add_classes(struct mdm_text *out, const int64_t *from, int64_t count)
{
    mdm_text_add(out, "\"classes\": [");
    for (int64_t i = 0; i < count; i++)
        mdm_text_addf(out, from[i] < 0 ? "%snull" : "%s%lld", i ? ", " : "", (long long)from[i]);
    mdm_text_add(out, "]");
}

static int is_identity(const int64_t *from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (from[i] != i)
            return 0;
    return 1;
}

static int transfer(struct mdm_run *run, const struct mdm_labels *labels, const int64_t *from, int64_t count)
{
    struct mdm_text rows = {0};
    struct report r = {.run = run, .json = &rows};
    const struct mdm_transfer_report report = {run->told.resume ? NULL : note, &r};
    maskdm_model *made;
    int status = mdm_transfer(&made, run->model, run->options, labels, run->seed, report);

    run->transfer = 1;
    if (status == MASKDM_OK) {
        mdm_model_drop(&run->model);
        run->model = made;
    }
    if (status == MASKDM_OK && !run->told.resume) {
        tell_sum(&r);
        mdm_text_add(&run->transferred, "{\"init\": ");
        mdm_text_add_json_bytes(&run->transferred, run->told.init);
        mdm_text_add(&run->transferred, ", ");
        add_classes(&run->transferred, from, count);
        mdm_text_add(&run->transferred, ", \"parameters\": [");
        mdm_text_add(&run->transferred, rows.data);
        mdm_text_add(&run->transferred, "]}\n");
        status = rows.failed ? mdm_text_ok(&rows) : mdm_text_ok(&run->transferred);
    }
    mdm_text_free(&rows);
    return status;
}

int mdm_run_plan_transfer(struct mdm_run *run, maskdm_options **network)
{
    return mdm_transfer_options(network, &run->transfer, run->model, run->options);
}

/* A run that says nothing of classes keeps those of its model, so that the data's are to be among them. */
static int check_names(const struct mdm_run *run, const struct mdm_labels *theirs)
{
    const struct mdm_labels *ours = &run->model->labels;
    struct mdm_text have = {0};
    int status;

    if (run->classes_given || !run->model->geometry.classes || !ours->count)
        return MASKDM_OK;
    for (int64_t i = 0; i < theirs->count; i++) {
        if (mdm_label_names_find(ours, theirs->name[i], strlen(theirs->name[i])) >= 0)
            continue;
        mdm_labels_list(ours, &have);
        status = mdm_text_ok(&have);
        if (status == MASKDM_OK)
            status = mdm_fail(MASKDM_EINVAL,
                              "the data have the label %s, and %s has %s; %s auto makes a model of the "
                              "data's labels",
                              theirs->name[i], run->told.init, have.data, mdm_options_said(run->options, "classes"));
        mdm_text_free(&have);
        return status;
    }
    return MASKDM_OK;
}

int mdm_run_transfer(struct mdm_run *run)
{
    const struct mdm_scan *files = run->given ? run->given->files : &run->found;
    const struct mdm_labels theirs = {files ? files->label : NULL, files ? files->labels : 0};
    struct mdm_labels labels = {0};
    maskdm_options *o;
    struct mdm_geometry g;
    int64_t *from = NULL;
    int status;

    MDM_TRY(check_names(run, &theirs));
    MDM_TRY(mdm_options_extract(&o, run->options, run->model->network->kind));
    status = run->model->network->geometry(&g, o);
    mdm_options_release(&o);
    MDM_TRY(status);
    from = mdm_need((size_t)g.classes + 1, sizeof *from, "classes");
    status = from ? mdm_classes_names(&labels, &theirs, g.classes, &run->model->labels) : MASKDM_ENOMEM;
    if (status == MASKDM_OK)
        status = mdm_classes_map(from, &labels, g.classes, &run->model->labels, run->model->geometry.classes);
    if (status == MASKDM_OK && (run->transfer || !is_identity(from, g.classes)))
        status = transfer(run, &labels, from, g.classes);
    mdm_labels_free(&labels);
    mdm_free(from);
    return status;
}

int mdm_run_record_transfer(struct mdm_run *run)
{
    if (!run->transferred.length)
        return MASKDM_OK;
    return mdm_record_write_text(run->told.out, "transfer.json", &run->transferred);
}
