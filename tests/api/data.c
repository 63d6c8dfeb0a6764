/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data sets through the public calls: folders, memory, callbacks, parts. What is in image k is known (see
 * fill()), so every batch can be told apart.
 */
#include <maskdm/data.h>

#include "base/alloc.h"
#include "base/control.h"
#include "data/data.h"
#include "option/option.h"
#include "os/file.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { H = 6, W = 5, C = 3, N = H * W * C };

static char folder[64];
static maskdm_device *dev;
static maskdm_control *control;
static int warnings;
static char last_warning[512];

static void hear(void *user, int level, const char *line)
{
    ck_assert_ptr_eq(user, &warnings);
    if (level != MASKDM_LOG_WARN)
        return;
    warnings++;
    snprintf(last_warning, sizeof last_warning, "%s", line);
}

static void begin(void)
{
    strcpy(folder, "api_data_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(maskdm_device_open(&dev, "cpu", NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_control_create(&control), MASKDM_OK);
    maskdm_control_set_log(control, hear, &warnings);
    warnings = 0;
}

static void end(void)
{
    char command[128];

    ck_assert_uint_eq(maskdm_device_memory_used(dev), 0);
    maskdm_control_release(&control);
    maskdm_device_release(&dev);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *path_to(const char *name)
{
    static char path[4][128];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
    return path[i];
}

static void fill(unsigned char *out, int k)
{
    for (int i = 0; i < N; i++)
        out[i] = (unsigned char)(k * 50 + i * 3);
    out[0] = (unsigned char)k;
}

static void write_image(const char *name, int k)
{
    unsigned char samples[N];
    maskdm_image *m;
    char *slash, path[128];

    strcpy(path, path_to(name));
    for (slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0777);
        *slash = '/';
    }
    fill(samples, k);
    ck_assert_int_eq(maskdm_image_create(&m, H, W, C, MASKDM_SAMPLE_U8, samples, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_write_png(m, path, 8), MASKDM_OK);
    maskdm_image_release(&m);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_to(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* Images 0 .. n-1 as 00.png .. */
static void write_many(int n)
{
    char name[16];

    for (int k = 0; k < n; k++) {
        snprintf(name, sizeof name, "%02d.png", k);
        write_image(name, k);
    }
}

static int try_open(maskdm_data **out, const char *settings)
{
    maskdm_options *o;
    int r;

    ck_assert_int_eq(maskdm_options_create(&o, "folder"), MASKDM_OK);
    ck_assert_msg(!maskdm_options_parse(o, "image_size=6x5"), "%s", maskdm_last_error());
    ck_assert_msg(!maskdm_options_parse(o, settings), "%s", maskdm_last_error());
    r = maskdm_data_open_folder(out, dev, folder, o, control);
    maskdm_options_release(&o);
    return r;
}

static maskdm_data *open_folder(const char *settings)
{
    maskdm_data *d;

    ck_assert_msg(!try_open(&d, settings), "%s", maskdm_last_error());
    ck_assert_int_eq(maskdm_data_height(d), H);
    ck_assert_int_eq(maskdm_data_width(d), W);
    ck_assert_int_eq(maskdm_data_channels(d), C);
    return d;
}

/* Which image (see fill()) stands at i. */
static int image_at(maskdm_data *d, int64_t i, int32_t *label)
{
    unsigned char want[N];
    float got[N];
    int k;

    ck_assert_msg(!maskdm_data_get(d, i, got, label), "%s", maskdm_last_error());
    k = (int)(got[0] * 255 + 0.5f);
    fill(want, k);
    for (int j = 0; j < N; j++)
        ck_assert(got[j] == (float)want[j] / 255.0f);
    return k;
}

START_TEST(folder_order_and_labels)
{
    static const struct { const char *name; int k, label; } want[] = {
        {"a-b/x.PNG", 1, 1}, {"a/10.png", 2, 0}, {"a/2.JPEG", 3, 0}, {"b.png", 4, -1}, {"c/deep/z.jpg", 5, 2}};
    static const char *const label[] = {"a", "a-b", "c"};
    int32_t l;
    maskdm_data *d;

    for (int i = 4; i >= 0; i--)
        write_image(want[i].name, want[i].k);
    write_image(".hidden.png", 9);
    write_image(".git/y.png", 9);
    write_image("Zempty/w.txt", 9);
    write_text("notes.txt", "no image");
    ck_assert_int_eq(symlink("..", path_to("c/loop")), 0);
    d = open_folder("");
    ck_assert_int_eq(warnings, 1);
    ck_assert_ptr_nonnull(strstr(last_warning, "c/loop"));
    ck_assert_int_eq(maskdm_data_count(d), 5);
    ck_assert_int_eq(maskdm_data_skipped(d), 0);
    ck_assert_int_eq(maskdm_data_label_count(d), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(maskdm_data_label_name(d, i), label[i]);
    ck_assert_ptr_null(maskdm_data_label_name(d, 3));
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(image_at(d, i, &l), want[i].k);
        ck_assert_int_eq(l, want[i].label);
        ck_assert_str_eq(maskdm_data_path(d, i), path_to(want[i].name));
    }
    ck_assert_ptr_null(maskdm_data_path(d, 5));
    maskdm_data_release(&d);
    ck_assert_ptr_null(d);
    maskdm_data_release(&d);
}
END_TEST

static int refuse_reading(void *user, const char *operation, const char *path)
{
    return !strcmp(operation, "open") && strstr(path, user) ? EACCES : 0;
}

START_TEST(broken_among_good)
{
    struct mdm_file_hook hook = {refuse_reading, (void *)"locked.png"};
    maskdm_data *d;

    write_image("0.png", 0);
    write_text("broken.png", "\x89PNG\r\n\x1a\nnothing more");
    write_image("locked.png", 8);
    write_image("z.png", 1);
    write_text("zz.jpg", "");
    mdm_file_hook_set(&hook);
    d = open_folder(_i ? "cache_limit=0" : "");
    mdm_file_hook_set(NULL);
    ck_assert_int_eq(maskdm_data_count(d), 2);
    ck_assert_int_eq(maskdm_data_skipped(d), 3);
    ck_assert_int_eq(warnings, 3);
    ck_assert_ptr_nonnull(strstr(last_warning, path_to("zz.jpg")));
    ck_assert_int_eq(image_at(d, 0, NULL), 0);
    ck_assert_int_eq(image_at(d, 1, NULL), 1);
    ck_assert_str_eq(maskdm_data_path(d, 1), path_to("z.png"));
    maskdm_data_release(&d);
}
END_TEST

/* Ten are named, and all are counted; what stands in the way of an image counts too. */
START_TEST(many_broken_files)
{
    maskdm_data *d;
    char name[16];

    write_image("good.jfif", 0);
    write_image("sub/good.JPE", 1);
    for (int k = 0; k < 25; k++) {
        snprintf(name, sizeof name, "%02d.png", k);
        write_text(name, "not one");
    }
    ck_assert_int_eq(symlink("/gone", path_to("z.png")), 0);
    d = open_folder(_i ? "cache_limit=0" : "");
    ck_assert_int_eq(maskdm_data_count(d), 2);
    ck_assert_int_eq(maskdm_data_skipped(d), 26);
    ck_assert_int_eq(warnings, 12);
    ck_assert_str_eq(last_warning, "left out: 25 files in all that could not be read, 10 of them named");
    ck_assert_int_eq(image_at(d, 0, NULL), 0);
    ck_assert_int_eq(image_at(d, 1, NULL), 1);
    maskdm_data_release(&d);
}
END_TEST

START_TEST(ten_broken_files_are_all_named)
{
    maskdm_data *d;
    char name[16];

    write_image("good.png", 0);
    for (int k = 0; k < 10; k++) {
        snprintf(name, sizeof name, "%02d.png", k);
        write_text(name, "not one");
    }
    d = open_folder("");
    ck_assert_int_eq(maskdm_data_skipped(d), 10);
    ck_assert_int_eq(warnings, 10);
    ck_assert_ptr_nonnull(strstr(last_warning, "09.png"));
    maskdm_data_release(&d);
}
END_TEST

START_TEST(nothing_to_read)
{
    maskdm_options *o;
    maskdm_data *d;
    char text[128];

    ck_assert_int_eq(try_open(&d, ""), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), folder));
    write_text("a.png", "not one");
    write_text("b.jpg", "\xff\xd8\xff");
    ck_assert_int_eq(try_open(&d, ""), MASKDM_EINVAL);
    snprintf(text, sizeof text, "no readable image below \"%s\": 2 files tried", folder);
    ck_assert_msg(strstr(maskdm_last_error(), text) == maskdm_last_error(), "%s", maskdm_last_error());
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "a.png: neither PNG, JPEG nor WebP"));
    ck_assert_ptr_null(d);

    ck_assert_int_eq(maskdm_options_create(&o, "folder"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "image_size=6"), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_open_folder(&d, dev, "api_data_none", o, NULL), MASKDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "api_data_none"));
    ck_assert_int_lt(maskdm_data_open_folder(&d, dev, path_to("a.png"), o, NULL), 0);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "a.png"));
    ck_assert_int_eq(maskdm_data_open_folder(&d, NULL, folder, o, NULL), MASKDM_EINVAL);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_open_folder(&d, dev, folder, o, NULL), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "device"));
    maskdm_options_release(&o);
    ck_assert_ptr_null(d);
}
END_TEST

/* Two data sets give the same bytes in the steps of a run, whatever was asked for in between. */
static void compare(maskdm_data *a, maskdm_data *b)
{
    static float x[12 * N], y[12 * N];
    int32_t l[12], m[12];

    ck_assert_int_eq(maskdm_data_count(a), maskdm_data_count(b));
    for (int step = 0; step < 12; step++) {
        int64_t batch = step < 8 ? 4 : 12;

        ck_assert_msg(!maskdm_data_batch(a, 7, step, batch, 0.5, x, l), "%s", maskdm_last_error());
        ck_assert_msg(!maskdm_data_batch(b, 7, step, batch, 0.5, y, m), "%s", maskdm_last_error());
        ck_assert_mem_eq(x, y, (size_t)batch * N * sizeof *x);
        ck_assert_mem_eq(l, m, (size_t)batch * sizeof *l);
        if (step % 3 == 0)
            ck_assert_int_eq(maskdm_data_get(b, step % maskdm_data_count(b), y, NULL), MASKDM_OK);
    }
}

START_TEST(cached_equals_streamed)
{
    static const char *const settings[] = {"cache_limit=0 loaders=1", "cache_limit=0 loaders=3", "cache_limit=1000"};
    uint16_t deep[11 * 7];
    char limit[32];
    maskdm_data *a, *b;
    maskdm_image *m;

    write_many(7);
    for (int i = 0; i < 11 * 7; i++)
        deep[i] = (uint16_t)(i * 851);
    ck_assert_int_eq(maskdm_image_create(&m, 11, 7, 1, MASKDM_SAMPLE_U16, deep, 0), MASKDM_OK); /* to be resized */
    ck_assert_int_eq(maskdm_image_write_png(m, path_to("16 bit.png"), 16), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_write_png(m, path_to("8 bit.png"), 8), MASKDM_OK);
    maskdm_image_release(&m);
    snprintf(limit, sizeof limit, "cache_limit=%d", 10 * N);
    a = open_folder(limit);
    ck_assert_uint_eq(maskdm_device_memory_used(dev), 10 * N); /* eight of 8 bits and one of 16, which just fit */
    b = open_folder(settings[_i]);
    compare(a, b);
    maskdm_data_release(&a);
    maskdm_data_release(&b);
}
END_TEST

START_TEST(memory_equals_folder)
{
    static unsigned char u8[7][H][W * C + 3];
    static uint16_t u16[7][N];
    static float real[7 * N + 1];
    static const int32_t labels[7] = {-1, -1, -1, -1, -1, -1, -1};
    unsigned char samples[N];
    maskdm_data *a, *b;

    write_many(7);
    for (int k = 0; k < 7; k++) {
        fill(samples, k);
        for (int i = 0; i < N; i++) {
            u8[k][i / (W * C)][i % (W * C)] = samples[i];
            u16[k][i] = (uint16_t)(samples[i] * 257);
            real[k * N + i] = (float)samples[i] / 255.0f;
        }
    }
    a = open_folder("");
    ck_assert_int_eq(
        maskdm_data_create_memory(&b, dev, 7, H, W, C, MASKDM_SAMPLE_U8, u8, W * C + 3, 0, NULL, NULL, NULL),
        MASKDM_OK);
    compare(a, b);
    maskdm_data_release(&b);
    ck_assert_int_eq(maskdm_data_create_memory(&b, dev, 7, H, W, C, MASKDM_SAMPLE_U16, u16, 0, 0, labels, NULL, NULL),
                     MASKDM_OK);
    ck_assert_int_eq(maskdm_data_label_count(b), 0);
    ck_assert_ptr_null(maskdm_data_path(b, 0));
    compare(a, b);
    maskdm_data_release(&b);
    ck_assert_int_eq(maskdm_data_create_memory(&b, dev, 7, H, W, C, MASKDM_SAMPLE_FLOAT, real, 0,
                                               N * sizeof(float), labels, NULL, NULL), MASKDM_OK);
    compare(a, b);
    maskdm_data_release(&b);
    maskdm_data_release(&a);
}
END_TEST

START_TEST(memory_is_checked)
{
    static unsigned char u8[2 * N];
    static const int32_t good[2] = {4, 0}, bad[2] = {0, -2};
    maskdm_data *d;
    float image[N];
    int32_t label;

    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, H, W, C, MASKDM_SAMPLE_U8, u8, 0, 0, bad, NULL, NULL),
                                               MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, H, W, C, MASKDM_SAMPLE_U8, u8, 3, 0, good, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, H, W, C, MASKDM_SAMPLE_U8, u8, 0, N - 1, good, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, INT64_MAX, H, W, C, MASKDM_SAMPLE_U8, u8, 0, 0, NULL, NULL,
                                               NULL),
                     MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 0, H, W, C, MASKDM_SAMPLE_U8, u8, 0, 0, NULL, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, INT64_MAX, W, C, MASKDM_SAMPLE_U8, u8, 0, 0, NULL, NULL,
                                               NULL),
                     MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, H, W, C, MASKDM_SAMPLE_U8, NULL, 0, 0, good, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_ptr_null(d);
    ck_assert_int_eq(maskdm_data_create_memory(&d, dev, 2, H, W, C, MASKDM_SAMPLE_U8, u8, 0, 0, good, NULL, NULL),
                                               MASKDM_OK);
    ck_assert_int_eq(maskdm_data_label_count(d), 5);
    ck_assert_int_eq(maskdm_data_get(d, 0, image, &label), MASKDM_OK);
    ck_assert_int_eq(label, 4);
    ck_assert_int_eq(maskdm_data_get(d, 2, image, &label), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_get(d, -1, image, &label), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_batch(d, 1, -1, 2, 0, image, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_batch(d, 1, 0, 1, 1.5, image, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_batch(d, 1, INT64_MAX / 2, 4, 0, image, NULL), MASKDM_EINVAL);
    maskdm_data_release(&d);
}
END_TEST

struct host {
    pthread_t thread;
    int calls, drops, stop_at;
};

static int fetch(void *user, int64_t index, float *image, int32_t *label)
{
    struct host *h = user;
    unsigned char samples[N];

    ck_assert(pthread_equal(h->thread, pthread_self()));
    ck_assert_int_eq(*label, -1);
    if (h->calls++ == h->stop_at)
        return 1;
    fill(samples, (int)index);
    for (int i = 0; i < N; i++)
        image[i] = (float)samples[i] / 255.0f;
    *label = (int32_t)index;
    return 0;
}

static void drop(void *user)
{
    ((struct host *)user)->drops++;
}

static int wrong_label(void *user, int64_t index, float *image, int32_t *label)
{
    (void)index;
    memset(image, 0, N * sizeof *image);
    *label = *(const int32_t *)user;
    return 0;
}

START_TEST(callback_labels)
{
    int32_t label = -1, got;
    float image[N];
    maskdm_data *d;

    ck_assert_int_eq(maskdm_data_create_callback(&d, dev, 3, H, W, C, wrong_label, NULL, &label), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_get(d, 2, image, &got), MASKDM_OK);
    ck_assert_int_eq(got, -1);
    label = -2;
    ck_assert_int_eq(maskdm_data_get(d, 2, image, &got), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "label -2 of image 2"));
    maskdm_data_release(&d);
}
END_TEST

START_TEST(callback)
{
    struct host h = {.thread = pthread_self(), .stop_at = -1};
    maskdm_data *a, *b;
    int32_t label[4];
    float images[4 * N];

    write_many(7);
    a = open_folder("");
    ck_assert_int_eq(maskdm_data_create_callback(&b, dev, 7, H, W, C, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_create_callback(&b, dev, 7, H, W, C, fetch, drop, &h), MASKDM_OK);
    for (int step = 0; step < 5; step++) {
        float want[4 * N];

        ck_assert_int_eq(maskdm_data_batch(a, 3, step, 4, 0.5, want, NULL), MASKDM_OK);
        ck_assert_int_eq(maskdm_data_batch(b, 3, step, 4, 0.5, images, label), MASKDM_OK);
        ck_assert_mem_eq(want, images, sizeof want);
    }
    ck_assert_int_eq(h.calls, 20); /* nothing is fetched ahead */
    h.stop_at = 22;
    ck_assert_int_eq(maskdm_data_batch(b, 3, 5, 4, 0.5, images, label), MASKDM_ECANCELED);
    ck_assert_int_eq(maskdm_data_batch(b, 3, 5, 4, 0.5, images, label), MASKDM_OK);
    maskdm_data_release(&a);
    ck_assert_int_eq(h.drops, 0);
    maskdm_data_release(&b);
    ck_assert_int_eq(h.drops, 1);
}
END_TEST

START_TEST(an_epoch_drops_nothing)
{
    int seen[7], differ = 0, first[7];
    maskdm_data *d;
    float images[3 * N];

    write_many(7);
    d = open_folder("cache_limit=0");
    for (int p = 0; p < 42; p++) { /* 14 steps of 3 are 6 epochs of 7 */
        if (p % 3 == 0)
            ck_assert_int_eq(maskdm_data_batch(d, 5, p / 3, 3, 0, images, NULL), MASKDM_OK);
        if (p % 7 == 0)
            memset(seen, 0, sizeof seen);
        else
            ck_assert_int_eq(seen[0] + seen[1] + seen[2] + seen[3] + seen[4] + seen[5] + seen[6], p % 7);
        seen[(int)((images[p % 3 * N] + 1) * 127.5f + 0.5f)]++;
        for (int k = 0; k < 7; k++)
            ck_assert_int_le(seen[k], 1);
        if (p < 7)
            first[p] = (int)((images[p % 3 * N] + 1) * 127.5f + 0.5f);
        else
            differ += first[p % 7] != (int)((images[p % 3 * N] + 1) * 127.5f + 0.5f);
    }
    ck_assert_int_gt(differ, 10); /* each epoch in an order of its own */
    maskdm_data_release(&d);
}
END_TEST

START_TEST(flips_depend_on_the_position_alone)
{
    static float plain[8 * N], flipped[8 * N], some[8 * N], halves[8 * N];
    int flips = 0;
    maskdm_data *d;

    write_many(7);
    d = open_folder("");
    ck_assert_int_eq(maskdm_data_batch(d, 5, 3, 8, 0, plain, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_batch(d, 5, 3, 8, 1, flipped, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_batch(d, 5, 3, 8, 0.5, some, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_batch(d, 5, 6, 4, 0.5, halves, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_batch(d, 5, 7, 4, 0.5, halves + 4 * N, NULL), MASKDM_OK);
    ck_assert_mem_eq(some, halves, sizeof some);
    for (int r = 0; r < 8 * H; r++)
        for (int x = 0; x < W; x++)
            ck_assert_mem_eq(plain + (r * W + x) * C, flipped + (r * W + W - 1 - x) * C, C * sizeof(float));
    for (int b = 0; b < 8; b++) {
        int f = !memcmp(some + b * N, flipped + b * N, N * sizeof(float));

        ck_assert(f || !memcmp(some + b * N, plain + b * N, N * sizeof(float)));
        flips += f;
    }
    ck_assert_int_gt(flips, 0);
    ck_assert_int_lt(flips, 8);
    maskdm_data_release(&d);
}
END_TEST

static int count_opened(void *user, const char *operation, const char *path)
{
    if (strcmp(operation, "open") == 0 && strstr(path, ".png"))
        atomic_fetch_add((atomic_int *)user, 1);
    return 0;
}

/* A part foretells its own images, each of which is then read once. */
START_TEST(a_part_reads_nothing_twice)
{
    atomic_int opened = 0;
    const struct mdm_file_hook hook = {count_opened, &opened};
    maskdm_data *d, *train, *held;
    float images[2 * N];

    write_many(40);
    d = open_folder("cache_limit=0");
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.5, 1), MASKDM_OK);
    mdm_file_hook_set(&hook);
    for (int step = 0; step < 10; step++) {
        ck_assert_int_eq(maskdm_data_batch(train, 1, step, 2, 0, images, NULL), MASKDM_OK);
        usleep(5000); /* for what is foretold */
    }
    maskdm_data_release(&d);
    maskdm_data_release(&train);
    maskdm_data_release(&held);
    mdm_file_hook_set(NULL);
    ck_assert_int_ge(opened, 20);
    ck_assert_int_le(opened, 22); /* with the batch that is foretold */
}
END_TEST

START_TEST(split)
{
    int seen[10] = {0};
    maskdm_data *d, *train, *held;
    float images[2 * N];

    write_many(10);
    d = open_folder(_i ? "cache_limit=0" : "");
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0, 1), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 1, 1), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.01, 1), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_count(held), 1);
    maskdm_data_release(&train);
    maskdm_data_release(&held);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.26, 1), MASKDM_OK); /* the nearest number */
    ck_assert_int_eq(maskdm_data_count(held), 3);
    maskdm_data_release(&train);
    maskdm_data_release(&held);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.99, 1), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_count(train), 1);
    maskdm_data_release(&train);
    maskdm_data_release(&held);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.3, 1), MASKDM_OK);
    maskdm_data_release(&d);
    ck_assert_int_eq(maskdm_data_count(train), 7);
    ck_assert_int_eq(maskdm_data_count(held), 3);
    for (int i = 0; i < 10; i++) {
        maskdm_data *part = i < 7 ? train : held;
        int at = i < 7 ? i : i - 7, k = image_at(part, at, NULL);
        char name[16];

        seen[k]++;
        snprintf(name, sizeof name, "%02d.png", k);
        ck_assert_str_eq(maskdm_data_path(part, at), path_to(name));
    }
    for (int k = 0; k < 10; k++)
        ck_assert_int_eq(seen[k], 1);
    for (int step = 0; step < 10; step++) { /* in turns, as training with a held-out loss does */
        ck_assert_int_eq(maskdm_data_batch(train, 1, step, 2, 0, images, NULL), MASKDM_OK);
        ck_assert_int_eq(maskdm_data_batch(held, 1, step, 2, 0, images, NULL), MASKDM_OK);
    }
    maskdm_data_release(&train);
    maskdm_data_release(&held);
}
END_TEST

/* Which images there are in a part, as a set of bits. */
static unsigned set_of(maskdm_data *part)
{
    unsigned set = 0;

    for (int64_t i = 0; i < maskdm_data_count(part); i++)
        set |= 1u << image_at(part, i, NULL);
    return set;
}

/* A fraction by the places of the images alone: the numbers are what seed 1 has chosen ever since. */
START_TEST(a_fraction_is_always_the_same)
{
    static const struct {
        double fraction;
        int count;
    } want[] = {{0.01, 1}, {0.26, 5}, {0.5, 10}, {0.99, 20}, {1, 20}};
    unsigned before = 0;
    maskdm_data *d, *part, *train, *held, *other;

    for (int i = 19; i >= 0; i--) {
        char name[16];

        snprintf(name, sizeof name, "%02d.png", i);
        write_image(name, i);
    }
    d = open_folder(_i ? "cache_limit=0" : "");
    ck_assert_int_eq(maskdm_data_take(&part, d, 0, 1), MASKDM_EINVAL);
    ck_assert_ptr_null(part);
    ck_assert_int_eq(maskdm_data_take(&part, d, 1.01, 1), MASKDM_EINVAL);
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        ck_assert_int_eq(maskdm_data_take(&part, d, want[k].fraction, 1), MASKDM_OK);
        ck_assert_int_eq(maskdm_data_count(part), want[k].count);
        ck_assert_uint_eq(before & ~set_of(part), 0);
        before = set_of(part);
        if (want[k].count == 5)
            ck_assert_uint_eq(before, 1102u);
        maskdm_data_release(&part);
    }
    ck_assert_int_eq(maskdm_data_take(&part, d, 0.5, 1), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_take(&other, d, 0.5, 2), MASKDM_OK);
    ck_assert_uint_ne(set_of(part), set_of(other));
    maskdm_data_release(&part);
    maskdm_data_release(&other);
    ck_assert_int_eq(maskdm_data_split(&train, &held, d, 0.25, 1), MASKDM_OK);
    maskdm_data_release(&d);
    ck_assert_int_eq(maskdm_data_take(&part, train, 0.4, 1), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_count(part), 6);
    ck_assert_uint_eq(set_of(part) & ~set_of(train), 0);
    ck_assert_uint_eq(set_of(part) & set_of(held), 0);
    maskdm_data_release(&train);
    maskdm_data_release(&held);
    maskdm_data_release(&part);
}
END_TEST

enum { ROUNDS = 20 };

struct reader {
    maskdm_data *data;
    int64_t first; /* step */
    float image[ROUNDS][4 * N];
};

/* Every batch twice over, so that what was foretold is often wrong. */
static void *read_batches(void *arg)
{
    struct reader *r = arg;

    for (int i = 0; i < ROUNDS; i++)
        ck_assert_msg(!maskdm_data_batch(r->data, 3, r->first + i / 2, 4, 0.5, r->image[i], NULL), "%s",
                      maskdm_last_error());
    return NULL;
}

/* The parts of a set are handles of their own, though they read through one loader. */
START_TEST(parts_on_two_threads)
{
    static struct reader alone[3], together[3];
    maskdm_data *whole, *a, *b;
    pthread_t thread[3];

    write_many(16);
    whole = open_folder("cache_limit=0 loaders=2");
    ck_assert_int_eq(maskdm_data_split(&a, &b, whole, 0.5, 1), MASKDM_OK);
    for (int i = 0; i < 3; i++) {
        alone[i].data = together[i].data = i == 0 ? whole : i == 1 ? a : b;
        alone[i].first = together[i].first = 5 * i;
        read_batches(&alone[i]);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_batches, &together[i]), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
        ck_assert_mem_eq(together[i].image, alone[i].image, sizeof alone[i].image);
    }
    maskdm_data_release(&a);
    maskdm_data_release(&b);
    maskdm_data_release(&whole);
}
END_TEST

START_TEST(a_file_that_vanishes_is_named)
{
    maskdm_data *d;
    float images[4 * N];
    int failures = 0;

    write_many(4);
    d = open_folder("cache_limit=0");
    ck_assert_int_eq(unlink(path_to("02.png")), 0);
    for (int step = 0; step < 3; step++)
        if (maskdm_data_batch(d, 1, step, 4, 0, images, NULL) < 0) {
            ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "02.png"));
            failures++;
        }
    ck_assert_int_eq(failures, 3);
    write_image("02.png", 2);
    ck_assert_int_eq(image_at(d, 2, NULL), 2);
    ck_assert_int_eq(image_at(d, 3, NULL), 3);
    maskdm_data_release(&d);
}
END_TEST

START_TEST(the_memory_limit_holds)
{
    maskdm_options *o;
    maskdm_device *small;
    maskdm_data *d;

    write_many(7);
    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "threads=1 memory_limit=600"), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&small, "cpu", o), MASKDM_OK);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "folder"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "image_size=6x5"), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_open_folder(&d, small, folder, o, NULL), MASKDM_ENOMEM);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "600"));
    ck_assert_uint_eq(maskdm_device_memory_used(small), 0);
    maskdm_options_release(&o);
    maskdm_device_release(&small);
}
END_TEST

/* What a host that watches the opening of a folder heard. */
struct watcher {
    int64_t last_read, last_files, reports, stop_at; /* files read, -1: never */
    void (*stop)(maskdm_control *control);           /* NULL: by the callback's result */
    char found[256];
};

static int watch_reading(void *user, const struct maskdm_progress *p)
{
    struct watcher *w = user;

    ck_assert_int_eq(p->step, 0);
    ck_assert_int_eq(p->steps, 0);
    ck_assert_int_ge(p->files_read, w->last_read);
    ck_assert_int_ge(p->files, w->last_files);
    w->last_read = p->files_read;
    w->last_files = p->files;
    w->reports++;
    if (w->stop_at < 0 || p->files_read < w->stop_at)
        return 0;
    if (!w->stop)
        return 1;
    w->stop(control);
    return 0;
}

static void hear_found(void *user, int level, const char *line)
{
    struct watcher *w = user;

    if (level == MASKDM_LOG_INFO && strncmp(line, "found ", 6) == 0)
        snprintf(w->found, sizeof w->found, "%s", line);
}

START_TEST(reading_is_watched)
{
    struct watcher w = {.stop_at = -1};
    char want[128];
    maskdm_data *d;

    write_many(3);
    maskdm_control_set_progress(control, watch_reading, &w);
    maskdm_control_set_log(control, hear_found, &w);
    d = open_folder("");
    snprintf(want, sizeof want, "found 3 images below %s, without labels", folder);
    ck_assert_str_eq(w.found, want);
    ck_assert_int_ge(w.reports, 2);
    ck_assert_int_eq(w.last_read, 3);
    ck_assert_int_eq(w.last_files, 3);
    maskdm_data_release(&d);
    write_image("cat/a.png", 4);
    write_image("ape/b.png", 5);
    w.last_read = w.last_files = 0;
    d = open_folder("");
    snprintf(want, sizeof want, "found 5 images below %s, 2 labels (ape, cat)", folder);
    ck_assert_str_eq(w.found, want);
    maskdm_data_release(&d);
}
END_TEST

/* Three threads read so many in two seconds, which is what a loaded machine has between a report and its answer. */
enum { MANY = 300 };

static int reads;

/* Counts image files that are opened, and is slow, so that reports come between them. */
static int read_slowly(void *user, const char *operation, const char *path)
{
    if (strcmp(operation, "open") != 0 || !strstr(path, ".png"))
        return 0;
    pthread_mutex_lock(user);
    reads++;
    pthread_mutex_unlock(user);
    usleep(20000);
    return 0;
}

/* Stopped, cancelled or by the callback's result, with and without threads: no image is read after those at hand. */
START_TEST(reading_ends_at_once)
{
    static void (*const way[])(maskdm_control *) = {NULL, maskdm_control_stop, maskdm_control_cancel};
    static const char *const settings[] = {"loaders=0", "loaders=3", "loaders=3 cache_limit=0"};
    struct watcher w = {.stop_at = 5, .stop = way[_i % 3]};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct mdm_file_hook hook = {read_slowly, &lock};
    maskdm_data *d;

    write_many(MANY);
    maskdm_control_set_progress(control, watch_reading, &w);
    reads = 0;
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(try_open(&d, settings[_i / 3]), MASKDM_ECANCELED);
    mdm_file_hook_set(NULL);
    ck_assert_ptr_null(d);
    ck_assert_str_eq(maskdm_last_error(), "reading the images was cancelled");
    ck_assert_int_ge(w.last_read, 5);
    if (_i / 3 == 0)
        ck_assert_int_eq(reads, w.last_read);
    else
        ck_assert_int_lt(reads, MANY); /* what was ahead is dropped */
    w = (struct watcher){.stop_at = -1}; /* the flag went down with the answer */
    d = open_folder(settings[_i / 3]);
    ck_assert_int_eq(maskdm_data_count(d), MANY);
    maskdm_data_release(&d);
}
END_TEST

START_TEST(stopped_before_it_begins)
{
    maskdm_data *d;

    write_many(2);
    maskdm_control_stop(control);
    ck_assert_int_eq(try_open(&d, ""), MASKDM_ECANCELED);
    ck_assert_ptr_null(d);
    d = open_folder("");
    maskdm_data_release(&d);
}
END_TEST

static int open_with(maskdm_data **out, const maskdm_options *o, const char *broken)
{
    struct mdm_folder_options told;
    struct mdm_scan found;
    int r;

    *out = NULL;
    mdm_options_read(o, &mdm_folder_options, &told);
    r = mdm_scan_folder(&found, folder, NULL, mdm_control_log(control), control);
    if (r < 0)
        return r;
    for (int64_t i = 0; i < found.count; i++)
        found.file[i].left_out = broken && strcmp(mdm_scan_name(&found, i), broken) == 0;
    mdm_scan_settle(&found);
    r = mdm_data_folder(out, dev, folder, &found, &told, o);
    mdm_scan_free(&found);
    if (r >= 0)
        r = mdm_data_read(*out, 1, mdm_control_log(control), control);
    if (r < 0)
        mdm_data_release(out);
    return r;
}

/* The folder again, where an earlier opening found `broken` (one name at most, NULL: none). */
static int open_known(maskdm_data **out, const char *settings, const char *broken)
{
    maskdm_options *o;
    int r;

    ck_assert_int_eq(maskdm_options_create(&o, "folder"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "image_size=6x5"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, settings), MASKDM_OK);
    r = open_with(out, o, broken);
    maskdm_options_release(&o);
    return r;
}

static atomic_int file_reads; /* of images */

static int note_reads(void *user, const char *operation, const char *path)
{
    (void)user;
    if (!strcmp(operation, "read") && strstr(path, ".png"))
        atomic_fetch_add(&file_reads, 1);
    return 0;
}

/* Opened by what is known, nothing is decoded before it is asked for, and every batch is that of the first opening;
 * in the end all is cached and no file is read any more. */
START_TEST(known_files_are_decoded_when_used)
{
    static const char *const settings[] = {"", "loaders=0", "loaders=3", "cache_limit=0", "cache_limit=720"};
    struct mdm_file_hook hook = {note_reads, NULL};
    uint16_t deep[N];
    maskdm_data *a, *b;
    maskdm_image *m;
    size_t used;

    write_many(7);
    write_text("03b.png", "\x89PNG\r\n\x1a\nnothing more");
    for (int i = 0; i < N; i++)
        deep[i] = (uint16_t)(i * 651);
    ck_assert_int_eq(maskdm_image_create(&m, H, W, C, MASKDM_SAMPLE_U16, deep, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_write_png(m, path_to("16 bit.png"), 16), MASKDM_OK);
    maskdm_image_release(&m);
    a = open_folder("");
    used = maskdm_device_memory_used(dev);
    warnings = 0;
    mdm_file_hook_set(&hook);    /* before there are threads that read, and until they are gone */
    ck_assert_msg(!open_known(&b, settings[_i], "03b.png"), "%s", maskdm_last_error());
    ck_assert_int_eq(warnings, 1);
    ck_assert_ptr_nonnull(strstr(last_warning, "left out as before"));
    ck_assert_ptr_nonnull(strstr(last_warning, "03b.png"));
    ck_assert_int_eq(maskdm_data_skipped(b), 1);
    compare(a, b);
    atomic_store(&file_reads, 0);
    compare(a, b);
    if (_i < 3) {
        ck_assert_int_eq(atomic_load(&file_reads), 0);
        ck_assert_uint_eq(maskdm_device_memory_used(dev), 2 * used); /* the loader is gone as well */
    } else {
        ck_assert_int_gt(atomic_load(&file_reads), 0);
    }
    maskdm_data_release(&a);
    maskdm_data_release(&b);
    mdm_file_hook_set(NULL);
}
END_TEST

/* A file that changed into something else is named at once where its first bytes show it, and at its first use
 * otherwise; it is never left out in silence. */
START_TEST(known_files_that_broke_are_named)
{
    char image[100];
    maskdm_data *d;
    float x[4 * N];

    write_many(4);
    write_text("02.png", "no image");
    ck_assert_int_eq(open_known(&d, "", NULL), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "02.png: neither PNG, JPEG nor WebP"));
    ck_assert_ptr_null(d);
    write_text("02.png", "");
    ck_assert_int_eq(open_known(&d, "", NULL), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "02.png: the file is empty"));
    write_text("02.png", "\x89PNG\r\n\x1a\nnothing more");
    ck_assert_int_eq(open_known(&d, _i ? "loaders=0" : "", NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_data_count(d), 4);
    ck_assert_int_eq(maskdm_data_batch(d, 1, 0, 4, 0, x, NULL), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "02.png"));
    ck_assert_int_eq(maskdm_data_batch(d, 1, 0, 4, 0, x, NULL), MASKDM_EFORMAT);
    write_image("02.png", 2);
    ck_assert_int_eq(maskdm_data_batch(d, 1, 0, 4, 0, x, NULL), MASKDM_OK);
    ck_assert_int_eq(image_at(d, 2, NULL), 2);
    snprintf(image, sizeof image, "%s", path_to("02.png"));
    ck_assert_str_eq(maskdm_data_path(d, 2), image);
    maskdm_data_release(&d);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub((atomic_int *)user, 1) == 0;
}

START_TEST(every_refused_allocation_is_reported)
{
    maskdm_options *o;
    maskdm_data *d;
    float images[2 * N];
    long before;
    int r = -1;

    write_many(2);
    write_image("label/a.png", 2);
    ck_assert_int_eq(maskdm_options_create(&o, "folder"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, _i == 1 ? "image_size=6x5 cache_limit=0" : "image_size=6x5"), MASKDM_OK);
    before = mdm_alloc_live();
    for (int i = 0; r < 0; i++) {
        atomic_int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 1000);
        mdm_alloc_hook_set(&hook);
        r = _i < 2 ? maskdm_data_open_folder(&d, dev, folder, o, control) : open_with(&d, o, NULL);
        if (r >= 0)
            r = maskdm_data_batch(d, 1, 0, 2, 0, images, NULL);
        if (d)
            ck_assert_int_eq(maskdm_data_count(d), 3);
        maskdm_data_release(&d); /* ends the threads, which ask the hook */
        mdm_alloc_hook_set(NULL);
        ck_assert_msg(r == MASKDM_OK || r == MASKDM_ENOMEM, "%d: %s", r, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), before);
        ck_assert_uint_eq(maskdm_device_memory_used(dev), 0);
    }
    ck_assert_int_eq(warnings, 0);
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("data");
    TCase *t = tcase_create("data");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, folder_order_and_labels);
    tcase_add_loop_test(t, broken_among_good, 0, 2);
    tcase_add_loop_test(t, many_broken_files, 0, 2);
    tcase_add_test(t, ten_broken_files_are_all_named);
    tcase_add_test(t, nothing_to_read);
    tcase_add_loop_test(t, cached_equals_streamed, 0, 3);
    tcase_add_test(t, memory_equals_folder);
    tcase_add_test(t, memory_is_checked);
    tcase_add_test(t, callback);
    tcase_add_test(t, callback_labels);
    tcase_add_test(t, an_epoch_drops_nothing);
    tcase_add_test(t, flips_depend_on_the_position_alone);
    tcase_add_test(t, a_part_reads_nothing_twice);
    tcase_add_loop_test(t, split, 0, 2);
    tcase_add_loop_test(t, a_fraction_is_always_the_same, 0, 2);
    tcase_add_test(t, parts_on_two_threads);
    tcase_add_test(t, a_file_that_vanishes_is_named);
    tcase_add_test(t, the_memory_limit_holds);
    tcase_add_test(t, reading_is_watched);
    tcase_add_loop_test(t, known_files_are_decoded_when_used, 0, 5);
    tcase_add_loop_test(t, known_files_that_broke_are_named, 0, 2);
    tcase_add_loop_test(t, reading_ends_at_once, 0, 9);
    tcase_add_test(t, stopped_before_it_begins);
    tcase_add_loop_test(t, every_refused_allocation_is_reported, 0, 3);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
