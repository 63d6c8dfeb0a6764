/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/ranks.h"

#include "base/error.h"
#include "option/option_set.h"
#include "run/record.h"

#include <string.h>

void mdm_run_join(struct mdm_run *run)
{
    run->comm = run->control ? (maskdm_comm *)run->control->comm : NULL;
    if (!run->comm)
        return;
    mdm_comm_hold(run->comm);
    mdm_control_mute(run->control, run->comm->carrier->rank > 0);
}

void mdm_run_part(struct mdm_run *run)
{
    if (!run->comm)
        return;
    run->comm->cancel = NULL;
    mdm_control_mute(run->control, 0);
    mdm_comm_drop(&run->comm);
}

int mdm_run_writes(const struct mdm_run *run)
{
    return !run->comm || run->comm->carrier->rank == 0;
}

int mdm_run_settle_parts(struct mdm_run *run)
{
    maskdm_options *o = run->options, *old = NULL;
    const int ranks = run->comm ? run->comm->carrier->size : 1;
    const char *parts = NULL;
    int status;

    if (ranks == 1 || mdm_options_is_set(o, "accumulate"))
        return MASKDM_OK;
    if (!strcmp(mdm_options_text(o, "resume"), "true"))
        MDM_TRY(mdm_record_read(&old, mdm_options_text(o, "out"), mdm_options_kind(o)));
    parts = old ? mdm_options_text(old, "accumulate") : NULL;
    status = parts ? mdm_options_set(o, "accumulate", parts) : mdm_options_set_int(o, "accumulate", ranks);
    mdm_options_release(&old);
    return status;
}

int mdm_run_meet(struct mdm_run *run, int status, const char *place)
{
    return run->comm ? mdm_comm_meet(run->comm, status, place, NULL) : status;
}

/* ---- whether all are prepared for the same ---- */

/* Each process may have paths and a device of its own; that all compute by the same kernels the first step finds out.
 */
static int is_own(const struct mdm_option_place *p)
{
    return p->option->is_path || !strcmp(p->table->name, "device") || !strcmp(p->option->name, "device");
}

static void list_options(struct mdm_text *lines, const maskdm_options *o)
{
    struct mdm_option_place p;

    for (int64_t i = 0; mdm_option_at(&p, mdm_options_kind(o), i); i++) {
        char name[MDM_OPTION_NAME];
        const char *value;

        mdm_option_name(name, p.kind, p.table, p.option);
        value = mdm_options_text(o, name);
        if (!is_own(&p) && value && mdm_options_belongs(o, name))
            mdm_text_addf(lines, "%s %s\n", mdm_options_said(o, name), *value ? value : "unset");
    }
    for (int k = 0; k < mdm_options_stages(o); k++) {
        mdm_text_addf(lines, "stage %d: ", k + 1);
        mdm_options_list_stage(o, k, lines);
        mdm_text_add(lines, "\n");
    }
}

static void list_place(struct mdm_text *lines, const struct mdm_run *run)
{
    char identity[MDM_IDENTITY];

    mdm_run_tell_identity(run, identity);
    mdm_text_addf(lines, "%s\n", identity);
    if (run->saved >= 0)
        mdm_text_addf(lines, "the checkpoint of step %lld to go on from\n", (long long)run->saved);
    else
        mdm_text_add(lines, "no checkpoint to go on from\n");
}

int mdm_run_compare_ranks(struct mdm_run *run, int status)
{
    struct mdm_text lines = {0};

    if (!run->comm)
        return status;
    run->comm->cancel = mdm_control_cancel_flag(run->control);
    if (status == MASKDM_OK) {
        list_options(&lines, run->options);
        list_place(&lines, run);
        status = mdm_text_ok(&lines);
    }
    status = mdm_run_meet(run, status, "the beginning of a run");
    if (status == MASKDM_OK)
        status = mdm_comm_compare(run->comm, "", &lines);
    mdm_text_free(&lines);
    return status;
}
