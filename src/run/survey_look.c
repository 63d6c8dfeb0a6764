/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at files: each is decoded to its end, since a file is only then known to be whole.
 */
#include "run/survey.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/digest.h"
#include "image/codec.h"
#include "image/rows.h"

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

static int read_rows(struct mdm_survey_file *f, struct mdm_rows *rows)
{
    const int has_alpha = rows->channels % 2 == 0;
    uint16_t *row = mdm_need((size_t)rows->width * (size_t)rows->channels, sizeof *row, "an image's row");
    int status = row ? MASKDM_OK : MASKDM_ENOMEM;

    for (int64_t i = 0; i < rows->height && status >= 0; i++) {
        int64_t y;

        status = mdm_rows_read(rows, &y, row);
        for (int64_t x = 1; status >= 0 && has_alpha && x <= rows->width; x++)
            f->transparent |= row[x * rows->channels - 1] != UINT16_MAX;
    }
    mdm_free(row);
    return status;
}

static int look_at_bytes(struct mdm_survey_file *f, const char *bytes, size_t size, const struct mdm_reading *how)
{
    struct mdm_digest digest;
    struct mdm_rows *rows;
    int status;

    mdm_digest_start(&digest);
    mdm_digest_add(&digest, bytes, size);
    f->digest = mdm_digest_value(&digest);
    MDM_TRY(mdm_rows_open(&rows, bytes, size, how));
    f->height = rows->height;
    f->width = rows->width;
    f->channels = rows->channels;
    f->bits = rows->bits;
    status = read_rows(f, rows);
    mdm_rows_close(&rows);
    return status;
}

static int look_at(struct mdm_survey_file *f, const char *path, const struct mdm_reading *how)
{
    char *bytes;
    size_t size;
    int status;

    MDM_TRY(mdm_file_read_all(&bytes, &size, path, MDM_PICTURE_FILE));
    status = look_at_bytes(f, bytes, size, how);
    mdm_free(bytes);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

static int look_at_one(void *user, int64_t place, int worker)
{
    struct looking *l = user;
    struct mdm_survey_file *f = &l->file[l->first + place];
    const int status = look_at(f, l->scan->file[l->first + place].path, l->how);

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
