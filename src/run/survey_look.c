/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at files: each is decoded to its end, since a file is only then known to be whole.
 */
#include "run/survey.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/digest.h"
#include "data/source.h"

enum {
    GROUP = 256, /* files between two looks at whether anybody wants to stop */
    NAMED = 10   /* broken files that are named as warnings */
};

struct looking {
    struct mdm_survey_file *file;
    const struct mdm_scan *scan;
    const struct mdm_reading *how;
    struct mdm_failure failed[GROUP];
    int64_t first, broken;
};

/* Equal pixels are the same picture, however they are packed. */
static uint64_t digest_of(const maskdm_image *m)
{
    const int64_t shape[] = {m->height, m->width, m->channels};
    struct mdm_digest digest;

    mdm_digest_start(&digest);
    mdm_digest_add(&digest, shape, sizeof shape);
    mdm_digest_add(&digest, m->sample, (size_t)(m->height * m->width * m->channels) * sizeof *m->sample);
    return mdm_digest_value(&digest);
}

static int look_at(struct mdm_survey_file *f, const struct mdm_scan *scan, int64_t i, const struct mdm_reading *how)
{
    maskdm_image *m;

    MDM_TRY(mdm_source_image(&m, scan, i, how));
    f->height = m->height;
    f->width = m->width;
    f->channels = m->channels;
    f->bits = m->bits;
    f->transparent = mdm_image_samples_are_transparent(m->sample, m->height * m->width, m->channels, 16);
    f->digest = digest_of(m);
    mdm_image_free(&m);
    return MASKDM_OK;
}

static int look_at_one(void *user, int64_t place, int worker)
{
    struct looking *l = user;
    struct mdm_survey_file *f = &l->file[l->first + place];
    const int status = look_at(f, l->scan, l->first + place, l->how);

    (void)worker;
    l->failed[place].code = 0;
    if (status >= 0)
        return MASKDM_OK;
    *f = (struct mdm_survey_file){.broken = 1};
    mdm_failure_take(&l->failed[place], status);
    return status == MASKDM_ENOMEM ? mdm_failure_record(&l->failed[place]) : MASKDM_OK;
}

static int look_at_group(struct looking *l, int64_t count, maskdm_device *device, const struct mdm_log *log)
{
    int status;

    MDM_TRY(mdm_device_enter(device));
    status = mdm_device_loop(device, count, look_at_one, l);
    mdm_device_leave(device);
    MDM_TRY(status);
    for (int64_t i = 0; i < count; i++) {
        if (!l->failed[i].code)
            continue;
        mdm_log_line(log, l->broken++ < NAMED ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG, "cannot be read: %s",
                     l->failed[i].text);
        l->scan->file[l->first + i].left_out = 1;
    }
    return MASKDM_OK;
}

int mdm_survey_look(struct mdm_survey_file *file, struct mdm_scan *scan, const struct mdm_reading *how,
                    maskdm_device *device, maskdm_control *control)
{
    const struct mdm_log *log = mdm_control_log(control);
    struct looking *l = mdm_need(1, sizeof *l, "a survey");
    double told = 0;
    int status = l ? MASKDM_OK : MASKDM_ENOMEM;

    if (l)
        *l = (struct looking){.file = file, .scan = scan, .how = how};
    for (int64_t n; status >= 0 && l->first < scan->count; l->first += n) {
        n = scan->count - l->first < GROUP ? scan->count - l->first : GROUP;
        status = mdm_control_reading(control, &told, l->first, scan->count);
        if (status >= 0)
            status = look_at_group(l, n, device, log);
    }
    if (status >= 0 && l->broken > NAMED)
        mdm_log_line(log, MASKDM_LOG_WARN, "%lld files cannot be read, %d of them are named", (long long)l->broken,
                     NAMED);
    mdm_free(l);
    return status;
}
