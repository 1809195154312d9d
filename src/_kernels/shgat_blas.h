/* The one place that names a CBLAS symbol. The PyPI build of OpenBLAS prefixes its symbols; a system build does not.
 * CBLAS enums have the ABI of int, so they are declared as int and no vendor header is needed. */
#ifndef SHGAT_BLAS_H
#define SHGAT_BLAS_H

#ifndef BLAS_SYMBOL_PREFIX
#define BLAS_SYMBOL_PREFIX
#endif
#define SHGAT_PASTE_(a, b) a##b
#define SHGAT_PASTE(a, b) SHGAT_PASTE_(a, b)
#define SHGAT_BLAS(name) SHGAT_PASTE(BLAS_SYMBOL_PREFIX, name)

#define shgat_sgemm SHGAT_BLAS(cblas_sgemm)
#define shgat_sgemv SHGAT_BLAS(cblas_sgemv)

extern void shgat_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                        const float *b, int ldb, float beta, float *c, int ldc);
extern void shgat_sgemv(int order, int trans, int m, int n, float alpha, const float *a, int lda, const float *x, int incx,
                        float beta, float *y, int incy);

#ifdef HAVE_OPENBLAS
#define shgat_set_threads SHGAT_BLAS(openblas_set_num_threads)
#define shgat_get_threads SHGAT_BLAS(openblas_get_num_threads)
#define shgat_blas_config SHGAT_BLAS(openblas_get_config)
extern void shgat_set_threads(int n);
extern int shgat_get_threads(void);
extern char *shgat_blas_config(void);
#else
#define shgat_set_threads(n) ((void)(n))
#define shgat_get_threads() 1
#define shgat_blas_config() "CBLAS"
#endif

#endif
