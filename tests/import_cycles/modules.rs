//! Modules of a crate, and the files that their paths lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree, Visibility};

/// Follows at most so many re-exports, in case two name each other.
const MAX_REEXPORTS: usize = 32;

/// Path as it is written in code: `crate`, `layers`, `Run`.
type Segments = Vec<String>;

/// Modules of a crate; the first is its root.
pub struct Modules {
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    parent: usize,
    file: PathBuf,
    children: BTreeMap<String, usize>,
    definitions: BTreeSet<String>,
    /// Imported names with the paths that they stand for.
    imports: BTreeMap<String, Segments>,
    glob_imports: Vec<Segments>,
    /// Paths that the module's own code uses. An import counts, a re-export only where its name is used.
    used: Vec<Segments>,
}

impl Modules {
    /// Reads the modules from the crate's root file on; code that is compiled for tests only is left out.
    pub fn read(root: &Path) -> Self {
        let mut modules = Self { modules: Vec::new() };
        modules.add_file(0, root);
        modules
    }

    /// Returns the other files of the crate that each file uses.
    pub fn file_edges(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let mut edges: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for (index, module) in self.modules.iter().enumerate() {
            let targets = module.used.iter().filter_map(|path| self.file_of(index, path, 0));
            edges.entry(module.file.clone()).or_default().extend(targets.filter(|target| *target != module.file));
        }
        edges
    }

    fn add_file(&mut self, parent: usize, path: &Path) -> usize {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let directory = match path.file_name().and_then(|name| name.to_str()) {
            Some("lib.rs" | "main.rs" | "mod.rs") => path.parent().unwrap_or(path).to_owned(),
            _ => path.with_extension(""),
        };
        self.add_module(parent, path, &directory, &file.items)
    }

    /// Adds a module whose children without a body are files of `directory`.
    fn add_module(&mut self, parent: usize, file: &Path, directory: &Path, items: &[Item]) -> usize {
        let index = self.modules.len();
        self.modules.push(Module { parent, file: file.to_owned(), ..Module::default() });
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let inside = directory.join(&name);
                    let child = match &child.content {
                        Some((_, items)) => self.add_module(index, file, &inside, items),
                        None => {
                            let flat = directory.join(format!("{name}.rs"));
                            self.add_file(index, &if flat.is_file() { flat } else { inside.join("mod.rs") })
                        }
                    };
                    self.modules[index].children.insert(name, child);
                }
                Item::Use(import) => {
                    let is_reexport = !matches!(import.vis, Visibility::Inherited);
                    self.modules[index].add_import(&import.tree, &mut Vec::new(), is_reexport);
                }
                other => {
                    self.modules[index].definitions.extend(defined_name(other));
                    let mut paths = Paths::default();
                    paths.visit_item(other);
                    self.modules[index].used.extend(paths.0);
                }
            }
        }
        index
    }

    /// Returns the file that defines what a path in a module's code names; none for another crate's, for a local name and
    /// for a module by itself.
    fn file_of(&self, from: usize, path: &[String], reexports: usize) -> Option<PathBuf> {
        let (mut module, mut rest) = (from, path);
        let mut is_inside = false;
        while let [first, after @ ..] = rest {
            module = match first.as_str() {
                "crate" if !is_inside => 0,
                "self" if !is_inside => from,
                "super" => self.modules[module].parent,
                _ => break,
            };
            (is_inside, rest) = (true, after);
        }
        loop {
            let [name, after @ ..] = rest else { return None };
            let current = &self.modules[module];
            if let Some(&child) = current.children.get(name) {
                (module, rest) = (child, after);
                continue;
            }
            if current.definitions.contains(name) {
                return Some(current.file.clone());
            }
            if reexports < MAX_REEXPORTS {
                // An import that names itself (`use candle_core; candle_core::Tensor`) is of another crate.
                let import = current.imports.get(name).filter(|import| import[0] != *name);
                let paths = import.into_iter().map(|import| [import.as_slice(), after].concat());
                let globs = current.glob_imports.iter().map(|glob| [glob.as_slice(), rest].concat());
                let mut found = paths.chain(globs).filter_map(|path| self.file_of(module, &path, reexports + 1));
                if let Some(file) = found.next() {
                    return Some(file);
                }
            }
            return None;
        }
    }
}

impl Module {
    fn add_import(&mut self, tree: &UseTree, before: &mut Segments, is_reexport: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_import(&path.tree, before, is_reexport);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_import(tree, before, is_reexport)),
            UseTree::Glob(_) => self.glob_imports.push(before.clone()),
            UseTree::Name(name) => self.add_name(name.ident.to_string(), name.ident.to_string(), before, is_reexport),
            UseTree::Rename(name) => {
                self.add_name(name.rename.to_string(), name.ident.to_string(), before, is_reexport);
            }
        }
    }

    fn add_name(&mut self, name: String, last: String, before: &[String], is_reexport: bool) {
        let mut path = before.to_vec();
        let name = match last == "self" {
            true => {
                if name == "self" {
                    path.last().cloned().unwrap_or_default()
                } else {
                    name
                }
            }
            false => {
                path.push(last);
                name
            }
        };
        if !is_reexport {
            self.used.push(path.clone());
        }
        self.imports.insert(name, path);
    }
}

/// Paths in the code of an item.
#[derive(Default)]
struct Paths(Vec<Segments>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
            || attribute.path().is_ident("test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
