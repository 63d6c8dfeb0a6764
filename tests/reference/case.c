/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a case and comparing with it.
 */
#include "case.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void case_fail(struct reference_case *c, const char *format, ...)
{
    va_list ap;

    if (!c->failed) {
        va_start(ap, format);
        vsnprintf(c->line, sizeof c->line, format, ap);
        va_end(ap);
    }
    c->failed = 1;
}

int case_ok(struct reference_case *c, int status, const char *what)
{
    if (status >= 0)
        return 0;
    case_fail(c, "%s: %s", what, maskdm_last_error());
    return -1;
}

/* Up to its bracket, without the quotes of what is in it. */
static const char *read_list(char *out, size_t size, const char *at)
{
    size_t n = 0;

    for (; *at && *at != ']' && n + 1 < size; at++)
        if (*at != '"')
            out[n++] = *at;
    out[n] = '\0';
    return out;
}

const char *case_value(struct reference_case *c, const char *section, const char *key, const char *absent)
{
    static char value[1024];
    char quoted[64];
    const char *json = maskdm_file_metadata(c->file, section), *at;
    size_t n;

    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    at = json ? strstr(json, quoted) : NULL;
    if (!at)
        return absent;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at == '[')
        return read_list(value, sizeof value, at + 1);
    at += *at == '"';
    n = strcspn(at, at[-1] == '"' ? "\"" : ",]}");
    snprintf(value, sizeof value, "%.*s", (int)n, at);
    return value;
}

double case_number(struct reference_case *c, const char *section, const char *key, double absent)
{
    const char *value = case_value(c, section, key, NULL);

    return value && strcmp(value, "null") != 0 ? strtod(value, NULL) : absent;
}

int case_has(struct reference_case *c, const char *name)
{
    return maskdm_file_find(c->file, name) >= 0;
}

int64_t case_dim(struct reference_case *c, const char *name, int i)
{
    int64_t shape[8], at = maskdm_file_find(c->file, name);

    return at >= 0 && i < maskdm_file_shape(c->file, at, shape, 8) ? shape[i] : -1;
}

static int64_t find(struct reference_case *c, const char *name, int64_t *count)
{
    const int64_t i = maskdm_file_find(c->file, name);

    if (i < 0)
        case_fail(c, "there is no tensor %s", name);
    else
        *count = maskdm_file_elements(c->file, i);
    return i;
}

float *case_f32(struct reference_case *c, const char *name, int64_t *count)
{
    int64_t n, i = find(c, name, &n);
    float *values = i < 0 ? NULL : malloc((size_t)n * sizeof *values + 1);

    if (values && case_ok(c, maskdm_file_read_f32(c->file, i, values, n), name)) {
        free(values);
        values = NULL;
    }
    if (values && count)
        *count = n;
    return values;
}

double *case_f64(struct reference_case *c, const char *name, int64_t *count)
{
    int64_t n, i = find(c, name, &n);
    double *values = i < 0 ? NULL : malloc((size_t)n * sizeof *values + 1);

    if (values && case_ok(c, maskdm_file_read_f64(c->file, i, values, n), name)) {
        free(values);
        values = NULL;
    }
    if (values && count)
        *count = n;
    return values;
}

void case_channels_last(float *to, const float *from, int64_t images, int64_t channels, int64_t pixels)
{
    for (int64_t b = 0; b < images; b++)
        for (int64_t k = 0; k < channels; k++)
            for (int64_t i = 0; i < pixels; i++)
                to[(b * pixels + i) * channels + k] = from[(b * channels + k) * pixels + i];
}

void case_channels_first(float *to, const float *from, int64_t images, int64_t channels, int64_t pixels)
{
    for (int64_t b = 0; b < images; b++)
        for (int64_t k = 0; k < channels; k++)
            for (int64_t i = 0; i < pixels; i++)
                to[(b * channels + k) * pixels + i] = from[(b * pixels + i) * channels + k];
}

/* Channels and pixels of the last three dimensions. */
static int image_shape(struct reference_case *c, const char *name, int64_t *channels, int64_t *pixels)
{
    int64_t shape[8];
    const int64_t at = maskdm_file_find(c->file, name);
    const int rank = at < 0 ? -1 : maskdm_file_shape(c->file, at, shape, 8);

    if (rank < 4) {
        case_fail(c, "%s is not an array of images", name);
        return -1;
    }
    *channels = shape[rank - 3];
    *pixels = shape[rank - 2] * shape[rank - 1];
    return 0;
}

float *case_images(struct reference_case *c, const char *name, float scale, float shift)
{
    int64_t count, channels, pixels;
    float *from = case_f32(c, name, &count), *to;

    if (!from || image_shape(c, name, &channels, &pixels)) {
        free(from);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        from[i] = scale * from[i] + shift;
    to = malloc((size_t)count * sizeof *to + 1);
    if (to)
        case_channels_last(to, from, count / (channels * pixels), channels, pixels);
    free(from);
    return to;
}

void case_compare(struct reference_case *c, const char *name, const double *got, int64_t count, double bound)
{
    int64_t n = 0;
    double *expected = case_f64(c, name, &n), difference = 0, norm = 0, largest = 0, error;

    if (bound > 0 && bound < c->coarse)
        bound = c->coarse;
    if (!expected)
        return;
    if (n != count) {
        case_fail(c, "%s has %lld values, the library's %lld", name, (long long)n, (long long)count);
        free(expected);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        difference += (got[i] - expected[i]) * (got[i] - expected[i]);
        norm += expected[i] * expected[i];
        /* Written so that NaN counts as large. */
        if (!(fabs(got[i]) <= largest))
            largest = fabs(got[i]);
    }
    free(expected);
    if (norm == 0) {
        if (!(largest <= ZERO_BOUND))
            case_fail(c, "%s should be zero and reaches %.3g", name, largest);
        return;
    }
    error = sqrt(difference / norm);
    if (!(error <= c->worst)) {
        c->worst = error;
        snprintf(c->where, sizeof c->where, "%s", name);
    }
    if (!(error <= bound))
        case_fail(c, "%s is off by %.3g, more than %.0e", name, error, bound);
}

void case_compare_f32(struct reference_case *c, const char *name, const float *got, int64_t count, double bound)
{
    double *wide = malloc((size_t)count * sizeof *wide + 1);

    if (!wide) {
        case_fail(c, "no memory for %s", name);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        wide[i] = (double)got[i];
    case_compare(c, name, wide, count, bound);
    free(wide);
}

void case_compare_images(struct reference_case *c, const char *name, const float *got, double bound)
{
    int64_t channels, pixels, count;
    float *turned;

    if (image_shape(c, name, &channels, &pixels))
        return;
    count = maskdm_file_elements(c->file, maskdm_file_find(c->file, name));
    turned = malloc((size_t)count * sizeof *turned + 1);
    if (!turned) {
        case_fail(c, "no memory for %s", name);
        return;
    }
    case_channels_first(turned, got, count / (channels * pixels), channels, pixels);
    case_compare_f32(c, name, turned, count, bound);
    free(turned);
}
