/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of folders that jobs leave.
 */
#include "run/record.h"

#include <maskdm/run.h>

#include "api/argument.h"
#include "base/clock.h"
#include "os/file.h"
#include "run/image_page.h"
#include "run/plot.h"
#include "run/status.h"

static int report_run(struct mdm_text *t, const char *folder, int json)
{
    struct mdm_status s;

    MDM_TRY(mdm_status_read(&s, folder));
    if (json)
        mdm_status_write_json(&s, t);
    else
        mdm_status_write_page(&s, mdm_clock_calendar(), t);
    mdm_status_free(&s);
    return mdm_text_ok(t);
}

int maskdm_report(const char *path, int json, maskdm_write_callback write, void *user)
{
    struct mdm_text t = {0};
    enum mdm_file_kind kind;
    int status;

    MDM_NEED(path);
    MDM_NEED(write);
    MDM_TRY(mdm_file_kind_of(&kind, path));
    status = kind == MDM_FILE_REGULAR ? mdm_image_page(&t, path, json) : report_run(&t, path, json);
    if (status == MASKDM_OK && write(user, t.data, t.length))
        status = mdm_fail(MASKDM_ECANCELED, "the report on %s was not taken", path);
    mdm_text_free(&t);
    return status;
}

int maskdm_plot(const char *const *runs, int64_t count, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED(runs);
    MDM_NEED(options);
    MDM_NEED_COUNT(count);
    for (int64_t i = 0; i < count; i++)
        if (!runs[i])
            return mdm_fail(MASKDM_EINVAL, "maskdm_plot: run %lld is NULL", (long long)i);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_plot(runs, count, options));
}

int maskdm_options_load_run(maskdm_options *options, const char *folder)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(folder);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_record_load(options, folder));
}
