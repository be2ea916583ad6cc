// Compiles a text with NVIDIA's run-time compiler, which needs neither a driver nor a GPU.
//   nvrtc LIBRARY TEXT OPTION...
// Its functions are declared here, since its header is in CUDA's toolkit only.
#include <dlfcn.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

typedef struct Program *Handle;

int main(int count, char **arguments) {
  void *library = count > 2 ? dlopen(arguments[1], RTLD_NOW) : nullptr;
  if (!library) return std::fprintf(stderr, "%s\n", count > 2 ? dlerror() : "two arguments are missing"), 2;
  auto create = (int (*)(Handle *, const char *, const char *, int, const char **, const char **))dlsym(library, "nvrtcCreateProgram");
  auto compile = (int (*)(Handle, int, const char **))dlsym(library, "nvrtcCompileProgram");
  auto log_size = (int (*)(Handle, size_t *))dlsym(library, "nvrtcGetProgramLogSize");
  auto log = (int (*)(Handle, char *))dlsym(library, "nvrtcGetProgramLog");
  auto ptx_size = (int (*)(Handle, size_t *))dlsym(library, "nvrtcGetPTXSize");
  auto ptx = (int (*)(Handle, char *))dlsym(library, "nvrtcGetPTX");
  if (!create || !compile || !log_size || !log || !ptx_size || !ptx) return 2;
  std::stringstream text;
  text << std::ifstream(arguments[2]).rdbuf();
  std::vector<const char *> options(arguments + 3, arguments + count);
  Handle program;
  if (create(&program, text.str().c_str(), "layers.cu", 0, nullptr, nullptr)) return 2;
  int failed = compile(program, (int)options.size(), options.data());
  size_t size = 0;
  log_size(program, &size);
  std::string said(size, '\0');
  log(program, &said[0]);
  std::fputs(said.c_str(), stderr);
  if (failed || ptx_size(program, &size)) return 1;
  std::string result(size, '\0');
  if (ptx(program, &result[0])) return 1;
  std::fputs(result.c_str(), stdout);
}
