/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_average() does: find the snapshots in a folder, find the factors, read one after the other and sum
 * them.
 */
#include "run/average.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "os/file.h"
#include "run/options.h"
#include "tensorfile/safetensors.h"
#include "text/number.h"

#include <stdlib.h>
#include <string.h>

int64_t mdm_snapshot_step(const char *name)
{
    static const char head[] = MDM_SNAPSHOT_HEAD, tail[] = MDM_SNAPSHOT_TAIL;
    const size_t n = strlen(name), h = sizeof head - 1, t = sizeof tail - 1;
    char digits[20];
    int64_t step;
    size_t d;

    if (n <= h + t || strncmp(name, head, h) != 0 || strcmp(name + n - t, tail) != 0)
        return -1;
    d = strspn(name + h, "0123456789");
    if (d == 0 || d >= sizeof digits || name[h + d] != '-')
        return -1;
    memcpy(digits, name + h, d);
    digits[d] = '\0';
    return mdm_parse_i64(digits, &step) == 0 ? step : -1;
}

struct found {
    struct mdm_snapshot is;
    char *path;
};

/* The job under way. */
struct job {
    struct mdm_average_run_options told;
    maskdm_control *control;
    maskdm_device *device;
    struct found *list;
    int64_t count;
    maskdm_model *model; /* the sum */
    float *other;        /* device memory: a snapshot's weights */
};

/* ---- what is there ---- */

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    struct job *j = user;
    struct found *larger;

    if (kind != MDM_FILE_REGULAR || mdm_snapshot_step(name) < 0)
        return MASKDM_OK;
    if (j->count == MDM_SNAPSHOTS_MOST)
        return mdm_fail(MASKDM_EINVAL, "%s has more than %d snapshots", j->told.run, MDM_SNAPSHOTS_MOST);
    larger = mdm_realloc(j->list, (size_t)(j->count + 1) * sizeof *larger);
    if (!larger)
        return mdm_fail_memory((size_t)(j->count + 1) * sizeof *larger, "a list of snapshots");
    j->list = larger;
    larger[j->count] = (struct found){.path = mdm_path_join(j->told.run, name)};
    return larger[j->count++].path ? MASKDM_OK : MASKDM_ENOMEM;
}

static int read_header(struct found *f)
{
    struct mdm_tensorfile s;
    int status;

    MDM_TRY(mdm_safetensors_open(&s, f->path));
    status = mdm_snapshot_read(&f->is, &s);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", f->path) : MASKDM_OK;
}

static int in_time(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->is.step != y->is.step)
        return x->is.step < y->is.step ? -1 : 1;
    return (x->is.profile.std > y->is.profile.std) - (x->is.profile.std < y->is.profile.std);
}

/* Whether one of the first `kept` is the same. */
static int is_repeated(const struct job *j, int64_t kept, struct mdm_profile p)
{
    for (int64_t k = 0; k < kept; k++)
        if (j->list[k].is.profile.at == p.at && j->list[k].is.profile.std == p.std)
            return 1;
    return 0;
}

/* When the average of the snapshots of this step began. */
static int64_t first_of(const struct job *j, int64_t step)
{
    int64_t i = 0;

    while (i < j->count - 1 && j->list[i].is.step != step)
        i++;
    return j->list[i].is.first;
}

/* Those up to `step` of the same average, which a stage of a run may have begun anew, without those of steps that
 * were skipped, which are others once more. */
static void keep_until(struct job *j, int64_t step)
{
    const int64_t first = first_of(j, step);
    int64_t kept = 0;

    for (int64_t i = 0; i < j->count; i++) {
        const struct found f = j->list[i];

        if (f.is.step > step || f.is.first != first || is_repeated(j, kept, f.is.profile)) {
            mdm_free(f.path);
            continue;
        }
        j->list[kept++] = f;
    }
    j->count = kept;
}

static int choose_step(const struct job *j, int64_t *step)
{
    int64_t below = -1, above = -1;

    *step = j->told.step ? j->told.step : j->list[j->count - 1].is.step;
    for (int64_t i = 0; i < j->count; i++) {
        const int64_t at = j->list[i].is.step;

        if (at == *step)
            return MASKDM_OK;
        if (at < *step)
            below = at;
        else if (above < 0)
            above = at;
    }
    if (below < 0 || above < 0)
        return mdm_fail(MASKDM_EINVAL, "%s has no snapshot of step %lld; the nearest is of step %lld", j->told.run,
                        (long long)*step, (long long)(below < 0 ? above : below));
    return mdm_fail(MASKDM_EINVAL, "%s has no snapshot of step %lld; the nearest are of steps %lld and %lld",
                    j->told.run, (long long)*step, (long long)below, (long long)above);
}

static int find(struct job *j)
{
    int64_t step;

    MDM_TRY(mdm_folder_list(j->told.run, note, j));
    if (!j->count)
        return mdm_fail(MASKDM_ENOTFOUND,
                        "%s has no snapshots, which a run leaves that is told ema=power and snapshot_every",
                        j->told.run);
    for (int64_t i = 0; i < j->count; i++)
        MDM_TRY(read_header(&j->list[i]));
    qsort(j->list, (size_t)j->count, sizeof *j->list, in_time);
    MDM_TRY(choose_step(j, &step));
    keep_until(j, step);
    return MASKDM_OK;
}

/* ---- the factors ---- */

static int solve(const struct job *j, double *factors)
{
    const int64_t n = j->count;
    struct mdm_profile *in = mdm_need((size_t)n, sizeof *in, "profiles of averages");
    const struct mdm_profile wanted = {j->list[n - 1].is.profile.at, j->told.std};
    double off = 0;
    int status = in ? MASKDM_OK : MASKDM_ENOMEM;

    for (int64_t i = 0; i < n && in; i++)
        in[i] = j->list[i].is.profile;
    if (status == MASKDM_OK)
        status = mdm_average_solve(in, n, wanted, factors, &off);
    mdm_free(in);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(j->control), MASKDM_LOG_INFO,
                     "an average of deviation %g up to step %lld from %lld snapshot%s, %.2g %% off its profile",
                     j->told.std, (long long)j->list[n - 1].is.step, (long long)n, n == 1 ? "" : "s", 100 * off);
    return status;
}

/* ---- the sum ---- */

static int make_model(struct job *j, const struct mdm_tensorfile *s)
{
    void *memory;

    MDM_TRY(mdm_model_shell_of(&j->model, j->device, s));
    MDM_TRY(mdm_model_take(j->model, 0));
    MDM_TRY(mdm_device_fill(j->device, j->model->ema, 0, mdm_model_bytes(j->model)));
    MDM_TRY(mdm_device_alloc(j->device, &memory, mdm_model_bytes(j->model), 1, "a snapshot's weights"));
    j->other = memory;
    return MASKDM_OK;
}

static int add_block(struct job *j, struct mdm_tensorfile *s, double factor)
{
    struct mdm_backend *b = mdm_device_backend(j->device);
    const struct mdm_mix mix = {.n = (int64_t)j->model->layout.length,
                                .count = 2,
                                .x = {j->model->ema, j->other},
                                .a = {1, factor},
                                .y = j->model->ema};
    int status;

    MDM_TRY(mdm_safetensors_verify(s));
    MDM_TRY(mdm_model_check_block(s, &j->model->layout, ""));
    MDM_TRY(mdm_model_read_block(j->device, s, &j->model->layout, "", j->other));
    MDM_TRY(mdm_device_enter(j->device));
    status = b->v->mix(b, &mix);
    mdm_device_leave(j->device);
    return status;
}

static int add_file(struct job *j, const char *path, double factor)
{
    struct mdm_tensorfile s;
    int status;

    MDM_TRY(mdm_control_check(j->control, "the average"));
    MDM_TRY(mdm_safetensors_open(&s, path));
    status = j->model ? MASKDM_OK : make_model(j, &s);
    if (status == MASKDM_OK)
        status = add_block(j, &s, factor);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

static int average(struct job *j)
{
    double *factors;
    int status;

    MDM_TRY(find(j));
    factors = mdm_need((size_t)j->count, sizeof *factors, "factors of snapshots");
    status = factors ? solve(j, factors) : MASKDM_ENOMEM;
    if (status == MASKDM_OK)
        status = mdm_backend_open(&j->device, "cpu", NULL, NULL, 0, NULL);
    for (int64_t i = 0; i < j->count && status == MASKDM_OK; i++)
        status = add_file(j, j->list[i].path, factors[i]);
    mdm_free(factors);
    if (status == MASKDM_OK)
        status = mdm_model_save_as(j->model, (int)j->told.dtype, j->told.out);
    return status;
}

static void finish(struct job *j)
{
    for (int64_t i = 0; i < j->count; i++)
        mdm_free(j->list[i].path);
    mdm_free(j->list);
    if (j->other)
        mdm_device_free(j->device, j->other, mdm_model_bytes(j->model));
    mdm_model_drop(&j->model);
    mdm_device_drop(&j->device);
}

int mdm_average_run(const maskdm_options *options, maskdm_control *control)
{
    struct job j = {.control = control};
    struct mdm_writer *place;
    int status;

    if (mdm_options_kind(options) != &mdm_average_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not average", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_average_run_options, &j.told);
    MDM_TRY(mdm_writer_reserve(&place, j.told.out));
    status = average(&j);
    finish(&j);
    mdm_writer_abandon(&place);
    return status;
}
