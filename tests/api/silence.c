/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A guest in the process leaves no trace: nothing on descriptors 1 and 2 whatever succeeds or fails, and signals,
 * environment, locale, floating-point mode, umask, BLAS threads, descriptors and threads are afterwards as they
 * were.
 */
#include "rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SSE__
#  include <xmmintrin.h>
#endif

extern char **environ;
/* The host has BLAS, and its threads, before we come; where this build has one. */
#ifdef HAVE_BLAS
int openblas_get_num_threads(void);
void openblas_set_num_threads(int n);
#else
static int openblas_get_num_threads(void)
{
    return 1;
}

static void openblas_set_num_threads(int n)
{
    (void)n;
}
#endif

enum { SIGNALS = 65, TEXT = 4096 };

static char folder[64];

static const char *path_to(const char *name)
{
    static char path[2][128];
    static int i;

    i = 1 - i;
    snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
    return path[i];
}

/* ---- what the host had set ---- */

struct host {
    struct sigaction action[SIGNALS];
    sigset_t mask;
    uint64_t environment;
    char locale[TEXT], directory[TEXT];
    locale_t thread_locale;
    int rounding, blas_threads, descriptors, threads;
    unsigned sse;
    mode_t umask;
};

static int count_entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;

    if (!d)
        return -1;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void look(struct host *h)
{
    memset(h, 0, sizeof *h);
    for (int i = 1; i < SIGNALS; i++)
        (void)sigaction(i, NULL, &h->action[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &h->mask);
    h->environment = 1469598103934665603u;
    for (char **e = environ; *e; e++)
        h->environment = rig_hash(h->environment, *e, strlen(*e) + 1);
    snprintf(h->locale, sizeof h->locale, "%s", setlocale(LC_ALL, NULL));
    ck_assert_ptr_nonnull(getcwd(h->directory, sizeof h->directory));
    h->thread_locale = uselocale((locale_t)0);
    h->rounding = fegetround();
    h->blas_threads = openblas_get_num_threads();
    h->descriptors = count_entries("/proc/self/fd");
    h->threads = count_entries("/proc/self/task");
#ifdef __SSE__
    h->sse = _mm_getcsr() & ~0x3fu; /* without the flags of what happened */
#endif
    h->umask = umask(0);
    (void)umask(h->umask);
}

static void expect_same(const struct host *a, const struct host *b)
{
    for (int i = 1; i < SIGNALS; i++) {
        const struct sigaction *x = &a->action[i], *y = &b->action[i];
        ck_assert_msg(x->sa_handler == y->sa_handler && x->sa_flags == y->sa_flags, "signal %d", i);
        ck_assert_msg(sigismember(&a->mask, i) == sigismember(&b->mask, i), "mask of signal %d", i);
    }
    ck_assert_msg(a->environment == b->environment, "environment");
    ck_assert_str_eq(a->locale, b->locale);
    ck_assert_str_eq(a->directory, b->directory);
    ck_assert_msg(a->thread_locale == b->thread_locale, "locale of the thread");
    ck_assert_msg(a->rounding == b->rounding && a->sse == b->sse, "floating-point mode");
    ck_assert_msg(a->umask == b->umask, "umask");
    ck_assert_int_eq(a->blas_threads, b->blas_threads);
    ck_assert_int_eq(a->descriptors, b->descriptors);
    ck_assert_int_eq(a->threads, b->threads);
}

/* ---- the visit ---- */

static void write_file(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path_to(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void make_pictures(void)
{
    unsigned char pixel[RIG_VALUES];
    char name[32];
    maskdm_image *m;

    (void)mkdir(path_to("data"), 0777);
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < RIG_VALUES; i++)
            pixel[i] = (unsigned char)(k * 40 + i);
        MUST(maskdm_image_create(&m, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
        snprintf(name, sizeof name, "data/%d.png", k);
        MUST(maskdm_image_write_png(m, path_to(name), 8));
        maskdm_image_release(&m);
    }
    /* Both decoders have something to say about these. */
    write_file("data/bad.png", "\x89PNG\r\n\x1a\nnot a chunk", 19);
    write_file("data/bad.jpg", "\xff\xd8\xff\xe0\0\x10JFIF\0nothing", 18);
}

static void train_by_parts(maskdm_device *dev)
{
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *again;
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(model, "type=patch ratio=0.5", "batch_size=4", NULL);
    double loss;

    for (int i = 0; i < 3; i++)
        MUST(maskdm_trainer_step(t, data));
    MUST(maskdm_trainer_validate(t, data, 8, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    MUST(maskdm_trainer_save(t, path_to("state.safetensors")));
    MUST(maskdm_trainer_load(t, path_to("state.safetensors")));
    MUST(maskdm_model_save(model, path_to("model.safetensors")));
    MUST(maskdm_model_load(&again, dev, path_to("model.safetensors")));
    (void)rig_sample_hash(again, NULL);
    maskdm_model_release(&again);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    maskdm_model_release(&model);
}

static maskdm_options *run_options(const char *extra)
{
    char text[512];

    snprintf(text, sizeof text,
             "data=%s out=%s %s mask=block mask_ratio=0.5 timesteps=20 batch_size=4 steps=4 save_every=2 log_every=1 "
             "sample_every=2 sample_count=4 sample_steps=2 val_share=0.4 val_every=2",
             path_to("data"), path_to("run"), RIG_NETWORK);
    maskdm_options *o = rig_options("pretrain", text);
    MUST(maskdm_options_parse(o, extra));
    return o;
}

static void train_in_one_call(void)
{
    maskdm_options *o = run_options("threads=2");

    MUST(maskdm_pretrain(NULL, o, NULL, NULL, NULL));
    maskdm_options_release(&o);
    o = run_options("threads=2 resume=true steps=6");
    MUST(maskdm_pretrain(NULL, o, NULL, NULL, NULL));
    maskdm_options_release(&o);
}

#define REFUSED(call) ck_assert_msg((call) < 0 && maskdm_last_error()[0], "%s did not fail", #call)

static void fail_in_many_ways(maskdm_device *dev)
{
    maskdm_options *o = run_options("");
    maskdm_model *m;
    maskdm_image *i;
    maskdm_file *f;
    maskdm_device *none;
    maskdm_data *d;

    REFUSED(maskdm_pretrain(NULL, o, NULL, NULL, NULL)); /* the folder is not empty */
    REFUSED(maskdm_options_parse(o, "mask_ration=0.5"));
    REFUSED(maskdm_options_parse(o, "heads=many"));
    MUST(maskdm_options_parse(o, "heads=3 resume=false out=other"));
    REFUSED(maskdm_pretrain(NULL, o, NULL, NULL, NULL));
    maskdm_options_release(&o);
    REFUSED(maskdm_model_load(&m, dev, path_to("nothing")));
    REFUSED(maskdm_model_load(&m, dev, path_to("data/0.png")));
    REFUSED(maskdm_model_load_memory(&m, dev, "\0\0\0\0\0\0\0\0{}", 10));
    REFUSED(maskdm_file_open(&f, folder));
    REFUSED(maskdm_image_read(&i, path_to("data/bad.png"), 3, NULL));
    REFUSED(maskdm_image_read(&i, path_to("data/bad.jpg"), 3, NULL));
    REFUSED(maskdm_data_open_folder(&d, dev, path_to("nothing"), NULL, NULL));
    REFUSED(maskdm_device_open(&none, "quantum", NULL));
    REFUSED(maskdm_device_open(&none, "cuda:0", NULL));
}

static void visit(void)
{
    maskdm_device *dev = rig_device("threads=2");

    train_by_parts(dev);
    train_in_one_call();
    fail_in_many_ways(dev);
    maskdm_device_release(&dev);
}

static int output[2] = {-1, -1}; /* where 1 and 2 lead when not silenced */

static void silence(int file)
{
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        output[i] = dup(i + 1);
        ck_assert_int_eq(dup2(file, i + 1), i + 1);
    }
}

/* Also behind a failed test, so that it can be told. */
static void speak(void)
{
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++)
        if (output[i] >= 0) {
            dup2(output[i], i + 1);
            close(output[i]);
            output[i] = -1;
        }
}

START_TEST(test_no_trace)
{
    struct host before, after;
    char command[128], said[256];
    ssize_t n;
    int file;

    strcpy(folder, "silence_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_pictures();
    file = open(path_to("said"), O_RDWR | O_CREAT | O_APPEND, 0666);
    ck_assert_int_ge(file, 0);
    (void)setlocale(LC_ALL, "");
    (void)umask(027);
    fesetround(FE_UPWARD); /* odd, so that resetting would show */
    openblas_set_num_threads(2);
    look(&before);
    silence(file);
    visit();
    speak();
    look(&after);
    fesetround(FE_TONEAREST);
    n = pread(file, said, sizeof said - 1, 0);
    ck_assert_int_ge(n, 0);
    said[n] = '\0';
    ck_assert_msg(n == 0, "on descriptors 1 and 2: %s", said);
    expect_same(&before, &after);
    close(file);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("silence");
    TCase *c = tcase_create("silence");
    SRunner *r = srunner_create(s);
    int failed;

    srunner_set_fork_status(r, CK_NOFORK);
    tcase_add_checked_fixture(c, NULL, speak);
    tcase_add_test(c, test_no_trace);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
