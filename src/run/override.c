/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that a run goes on with in place of its own. Of these states know how to become others: rates, decays and
 * what the schedule of the rate is made of. What was changed, and where, is in the log; the state is saved at once
 * under the new ones, so that from then on the folder speaks of nothing else.
 */
#include "run/run.h"

#include "base/error.h"
#include "text/text.h"

#include <string.h>

/* In a run's options, and what the optimizer or the average calls it. */
static const char *const names[][2] = {
    {"lr", "lr"},
    {"beta1", "beta1"},
    {"beta2", "beta2"},
    {"eps", "eps"},
    {"weight_decay", "weight_decay"},
    {"clip_norm", "clip_norm"},
    {"muon_lr", "muon_lr"},
    {"muon_weight_decay", "muon_weight_decay"},
    {"muon_momentum", "muon_momentum"},
    {"warmup_steps", "warmup_steps"},
    {"warmup_from", "warmup_from"},
    {"lr_steps", "lr_steps"},
    {"decay_steps", "decay_steps"},
    {"decay_to", "decay_to"},
    {"decay_after", "decay_after"},
    {"ema_halflife", "halflife"},
};
_Static_assert(sizeof((struct mdm_run *)0)->may_differ / sizeof(char *) > MDM_LENGTH(names),
               "room for all, and NULL");

static const char *text_of(const struct mdm_run *run)
{
    return mdm_options_text(run->options, "override");
}

static int find(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(names); i++)
        if (!strcmp(names[i][0], name))
            return (int)i;
    return -1;
}

/* Set all of it in the run's options, and note what that is to the state. */
static int take(struct mdm_run *run, const maskdm_options *wanted)
{
    const char *name;

    for (int i = 0; (name = mdm_options_given(wanted, i)); i++) {
        const int at = find(name);

        if (at < 0)
            return mdm_fail(MASKDM_EINVAL,
                            "%s is none of what %s can change, which is the rates, decays and times of the "
                            "optimizer",
                            mdm_options_said(run->options, name), mdm_options_said(run->options, "override"));
        MDM_TRY(mdm_options_set(run->options, name, mdm_options_text(wanted, name)));
        run->may_differ[i] = names[at][1];
    }
    return MASKDM_OK;
}

int mdm_run_override(struct mdm_run *run)
{
    const char *said = mdm_options_said(run->options, "override");
    maskdm_options *wanted;
    int status;

    if (!*text_of(run))
        return MASKDM_OK;
    if (strcmp(mdm_options_text(run->options, "resume"), "true") != 0)
        return mdm_fail(MASKDM_EINVAL, "%s is for a run that goes on: %s", said,
                        mdm_options_said(run->options, "resume"));
    if (mdm_options_stages(run->options))
        return mdm_fail(MASKDM_EINVAL, "%s is for a run without stages", said);
    MDM_TRY(mdm_options_create(&wanted, mdm_options_kind(run->options)));
    status = mdm_options_parse(wanted, text_of(run));
    if (status == MASKDM_OK)
        status = take(run, wanted);
    mdm_options_release(&wanted);
    return status;
}

int mdm_run_override_old(struct mdm_run *run, maskdm_options *old)
{
    struct mdm_text t = {0};
    int status = MASKDM_OK;

    for (size_t i = 0; i < MDM_LENGTH(names) && status == MASKDM_OK; i++) {
        const char *was = mdm_options_text(old, names[i][0]), *is = mdm_options_text(run->options, names[i][0]);
        int named = 0;

        for (int k = 0; run->may_differ[k]; k++)
            named |= !strcmp(run->may_differ[k], names[i][1]);
        if (!named || !was || !is || !strcmp(was, is))
            continue;
        mdm_text_addf(&t, "%s%s %s in place of %s", t.length ? ", " : "", names[i][0], is, *was ? was : "none");
        status = mdm_options_set(old, names[i][0], is);
    }
    if (status == MASKDM_OK)
        status = mdm_text_ok(&t);
    if (status == MASKDM_OK && t.length)
        mdm_run_log_note(run, t.data);
    mdm_text_free(&t);
    return status;
}
