// Runs a kernel of layers.cu on a CPU, thread after thread. Standard input: the kernel's sizes as ints, then the numbers of
// each operand in single precision; standard output: the numbers that it writes.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define ON_THE_HOST
#define __device__ static inline
#define __global__
#define __restrict__ __restrict

struct Index { unsigned x; };
static Index blockIdx, threadIdx, blockDim = {256};

static float __uint_as_float(unsigned bits) { float x; std::memcpy(&x, &bits, sizeof x); return x; }
static unsigned __float_as_uint(float x) { unsigned bits; std::memcpy(&bits, &x, sizeof bits); return bits; }
// Written out because not every compiler has half precision.
static float half_to_float(unsigned short bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float size = exponent == 0    ? std::ldexp((float)mantissa, -24)
               : exponent == 31 ? (mantissa ? NAN : INFINITY)
                                : std::ldexp((float)(1024 + mantissa), exponent - 25);
  return bits >> 15 ? -size : size;
}
static unsigned short float_to_half(float x) {
  float size = std::fabs(x);
  unsigned sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return 0x7fff;
  if (size >= 65520.0f) return sign | 0x7c00;
  if (size < std::ldexp(1.0f, -14)) return sign | (unsigned)std::nearbyint(std::ldexp(size, 24));
  int exponent;
  float fraction = std::frexp(size, &exponent);
  return sign | (((exponent + 13) << 10) + (unsigned)std::nearbyint(fraction * 2048.0f));
}

#include "layers.cu"

template <typename T> static std::vector<T> read(size_t count) {
  std::vector<T> values(count);
  if (std::fread(values.data(), sizeof(T), count, stdin) != count) std::exit(2);
  return values;
}

static std::vector<NUMBER> read_numbers(size_t count) {
  std::vector<NUMBER> numbers(count);
  std::vector<float> values = read<float>(count);
  for (size_t i = 0; i < count; ++i) store(&numbers[i], values[i]);
  return numbers;
}

int main() {
#ifdef STRIDE
  std::vector<int> s = read<int>(8);
  int outputs = s[0], channels = s[1], height = s[2], width = s[3];
  std::vector<NUMBER> x = read_numbers(outputs / (s[4] * s[5]) * height * width);
  std::vector<NUMBER> weight = read_numbers(channels * KERNEL_HEIGHT * KERNEL_WIDTH);
#else
  std::vector<int> s = read<int>(3);
  int outputs = s[0], channels = s[1];
  std::vector<NUMBER> x = read_numbers(outputs);
#endif
  std::vector<NUMBER> bias = read_numbers(channels), y(outputs);
  unsigned blocks = (outputs + blockDim.x - 1) / blockDim.x;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x)
#ifdef STRIDE
      depthwise(x.data(), weight.data(), bias.data(), y.data(), outputs, channels, height, width, s[4], s[5], s[6], s[7]);
#else
      bias_activation(x.data(), bias.data(), y.data(), outputs, channels, s[2]);
#endif
  for (NUMBER number : y) {
    float value = load(number);
    std::fwrite(&value, sizeof value, 1, stdout);
  }
}
