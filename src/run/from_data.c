/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that the images answer where nobody else does: whether there is transparency to keep, and how many classes
 * there are. Both are settled before there is a network, and are recorded as if they had been given.
 */
#include "run/run.h"

#include "base/error.h"
#include "data/data.h"
#include "data/source.h"
#include "run/record.h"

#include <string.h>

enum { LOOKED_AT = 64 /* files, evenly spread */ };

static int is_auto(const struct mdm_run *run)
{
    const char *classes = mdm_options_text(run->options, "classes");

    return classes && !strcmp(classes, "auto");
}

int mdm_run_recall_from_data(struct mdm_run *run)
{
    const int channels = !mdm_options_is_set(run->options, "channels"), classes = is_auto(run);
    maskdm_options *old;
    int status = MASKDM_OK;

    if (!run->told.resume || (!channels && !classes))
        return MASKDM_OK;
    MDM_TRY(mdm_record_read(&old, run->told.out, mdm_options_kind(run->options)));
    if (old && channels && !run->finetune)
        status = mdm_options_set(run->options, "channels", mdm_options_text(old, "channels"));
    if (old && classes && status == MASKDM_OK)
        status = mdm_options_set(run->options, "classes", mdm_options_text(old, "classes"));
    mdm_options_release(&old);
    return status;
}

int mdm_run_count_classes(struct mdm_run *run)
{
    int64_t labels;

    if (!is_auto(run))
        return MASKDM_OK;
    MDM_TRY(mdm_run_find_images(run));
    labels = run->given ? run->given->labels : run->found.labels;
    mdm_log_line(&run->voice, MASKDM_LOG_INFO, "%s auto: the data have %lld label%s",
                 mdm_options_said(run->options, "classes"), (long long)labels, labels == 1 ? "" : "s");
    return mdm_options_set_int(run->options, "classes", labels);
}

/* The first that has some among a few of them; NULL: none. One that cannot be read is told when all are read. */
static int find_transparent(const char **path, const struct mdm_scan *found)
{
    const int64_t count = found->count < LOOKED_AT ? found->count : LOOKED_AT;

    *path = NULL;
    for (int64_t i = 0; i < count && !*path; i++) {
        const int64_t at = i * found->count / count;
        const int status = mdm_source_is_transparent(found, at);

        if (status == MASKDM_ENOMEM)
            return status;
        if (status > 0)
            *path = found->file[at].path;
    }
    return MASKDM_OK;
}

int mdm_run_choose_channels(struct mdm_run *run)
{
    const char *path, *channels = mdm_options_text(run->options, "channels");

    if (run->finetune || mdm_options_is_set(run->options, "channels") || !channels || strcmp(channels, "3") != 0)
        return MASKDM_OK;
    MDM_TRY(find_transparent(&path, &run->found));
    if (!path)
        return MASKDM_OK;
    mdm_log_line(&run->voice, MASKDM_LOG_INFO,
                 "images have transparency, as %s: it is kept, as a fourth channel; %s 3 lays it over %s", path,
                 mdm_options_said(run->options, "channels"), mdm_options_said(run->options, "background"));
    return mdm_options_set(run->options, "channels", "4");
}
