// Calls every operation of the API with typed bodies, and reads typed answers. It is compiled, not run: `make client`.
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./generated/api";

type Schemas = components["schemas"];
type Task = Schemas["Task"];
type Project = Schemas["Project"];
type Section = Schemas["Section"];
type Label = Schemas["Label"];
type SavedFilter = Schemas["Filter"];
type Comment = Schemas["Comment"];
type Invitation = Schemas["Invitation"];
type Problem = Schemas["Problem"];

const api = createClient<paths>({ baseUrl: "https://todo.example.org" });

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  /** The message for one field of a form. */
  messageFor(pointer: string): string | undefined {
    return this.problem.errors?.find((each) => each.pointer === pointer)?.detail;
  }
}

async function read<T>(call: Promise<{ data?: T; error?: Problem }>): Promise<T> {
  const { data, error } = await call;
  if (error !== undefined) throw new ApiError(error);
  return data as T;
}

async function done(call: Promise<{ error?: Problem }>): Promise<void> {
  const { error } = await call;
  if (error !== undefined) throw new ApiError(error);
}

const task = (task_id: string) => ({ params: { path: { task_id } } });
const project = (project_id: string) => ({ params: { path: { project_id } } });
const section = (section_id: string) => ({ params: { path: { section_id } } });
const label = (label_id: string) => ({ params: { path: { label_id } } });
const saved = (filter_id: string) => ({ params: { path: { filter_id } } });
const invitation = (invitation_id: string) => ({ params: { path: { invitation_id } } });
const comment = (comment_id: string) => ({ params: { path: { comment_id } } });
const token = (token_id: string) => ({ params: { path: { token_id } } });

/** Every page of a list, one row at a time. */
export async function* allTasks(project_id: string): AsyncGenerator<Task> {
  let cursor: string | null = null;
  do {
    const query: { project_id: string; limit: number; cursor?: string } = { project_id, limit: 200 };
    if (cursor !== null) query.cursor = cursor;
    const page: Schemas["TaskPage"] = await read(api.GET("/api/v1/tasks", { params: { query } }));
    yield* page.results;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

// The API takes the values of a list separated by commas.
const commas = { array: { style: "form", explode: false } } as const;

/** A screen in one request: what is due, with the names that it shows. */
export async function agenda(): Promise<string[]> {
  const page = await read(
    api.GET("/api/v1/tasks", {
      params: {
        query: {
          filter: "is:open & due<today+7d",
          sort: ["due", "-priority", "title"],
          expand: ["project", "labels", "assignees", "subtask_counts"],
        },
      },
      querySerializer: commas,
    }),
  );
  return page.results.map(({ title, expanded }) => {
    const done = expanded?.subtask_counts;
    const people = expanded?.assignees?.map((each) => each.name).join(", ");
    const labels = expanded?.labels?.map((each) => `${each.name} ${each.color ?? ""}`).join(", ");
    return [title, expanded?.project?.name, people, labels, done && `${done.completed}/${done.total}`].join(" · ");
  });
}

/** Read, change, and write back only if nobody else has changed the task meanwhile. */
export async function prioritise(task_id: string, priority: number): Promise<Task> {
  const { data, error, response } = await api.GET("/api/v1/tasks/{task_id}", task(task_id));
  if (error !== undefined) throw new ApiError(error);
  const etag = response.headers.get("ETag") ?? "*";
  return read(
    api.PATCH("/api/v1/tasks/{task_id}", {
      params: { path: { task_id: data.id }, header: { "If-Match": etag } },
      body: { priority },
    }),
  );
}

/** What a list shows of a task. Every field of an answer is there, so nothing needs a default. */
export function line(task: Task): string {
  const due: string = task.due === null ? "" : "date" in task.due ? task.due.date : task.due.at;
  const every: string = task.recurrence === null ? "" : `${task.recurrence.mode}: ${task.recurrence.rule}`;
  const labels: number = task.labels.length;
  const state: string = task.completed_at ?? "open";
  return [task.title, task.priority.toFixed(), due, every, labels.toFixed(), state].join(" ");
}

// A missing or unknown operation is a compile error here.
type Calls = { [name in keyof operations]: (...ids: string[]) => Promise<unknown> };

export const calls: Calls = {
  register: () =>
    read<Schemas["User"]>(
      api.POST("/api/v1/auth/register", { body: { email: "ada@example.org", password: "correct horse" } }),
    ),
  login: async () => {
    const login: Schemas["Login"] = await read(
      api.POST("/api/v1/auth/login", { body: { email: "ada@example.org", password: "correct horse" } }),
    );
    return login.token ?? login.csrf_token;
  },
  logout: () => done(api.POST("/api/v1/auth/logout")),
  change_password: () =>
    done(
      api.POST("/api/v1/auth/password", {
        body: { current_password: "correct horse", new_password: "battery staple" },
      }),
    ),
  get_csrf_token: async () => (await read(api.GET("/api/v1/auth/csrf"))).csrf_token.length,
  get_me: async () => (await read(api.GET("/api/v1/me"))).email.length,
  update_me: async () =>
    (await read(api.PATCH("/api/v1/me", { body: { time_zone: "Europe/Berlin" } }))).time_zone.length,
  list_tokens: async () =>
    (await read(api.GET("/api/v1/tokens"))).results.filter((each) => each.scopes.includes("write")),
  create_token: async () => {
    const created = await read(api.POST("/api/v1/tokens", { body: { name: "sync", scopes: ["read", "write"] } }));
    const secret: string | null = created.token;
    return secret;
  },
  get_token: async (id = "") => (await read(api.GET("/api/v1/tokens/{token_id}", token(id)))).prefix.length,
  update_token: (id = "") => read(api.PATCH("/api/v1/tokens/{token_id}", { ...token(id), body: { name: "new" } })),
  revoke_token: (id = "") => done(api.DELETE("/api/v1/tokens/{token_id}", token(id))),

  list_projects: async () =>
    (await read(api.GET("/api/v1/projects", { params: { query: { include_deleted: true } } }))).results.map(
      (each: Project) => [each.is_inbox, each.is_archived, each.color, each.parent_id],
    ),
  create_project: () =>
    read<Project>(
      api.POST("/api/v1/projects", {
        params: { header: { "Idempotency-Key": "a1b2" } },
        body: { name: "Garden", color: "#16a34a" },
      }),
    ),
  get_project: (id = "") => read<Project>(api.GET("/api/v1/projects/{project_id}", project(id))),
  put_project: async (id = "") => {
    const held: Project = await read(api.GET("/api/v1/projects/{project_id}", project(id)));
    return read<Project>(api.PUT("/api/v1/projects/{project_id}", { ...project(id), body: held }));
  },
  update_project: (id = "") =>
    read<Project>(api.PATCH("/api/v1/projects/{project_id}", { ...project(id), body: { color: null } })),
  delete_project: (id = "") => done(api.DELETE("/api/v1/projects/{project_id}", project(id))),
  archive_project: (id = "") => read<Project>(api.POST("/api/v1/projects/{project_id}/archive", project(id))),
  unarchive_project: (id = "") => read<Project>(api.POST("/api/v1/projects/{project_id}/unarchive", project(id))),
  restore_project: (id = "") => read<Project>(api.POST("/api/v1/projects/{project_id}/restore", project(id))),

  list_sections: async (project_id = "") =>
    (await read(api.GET("/api/v1/sections", { params: { query: { project_id } } }))).results.map(
      (each: Section) => each.position,
    ),
  create_section: (project_id = "") =>
    read<Section>(api.POST("/api/v1/sections", { body: { project_id, name: "Spring" } })),
  get_section: (id = "") => read<Section>(api.GET("/api/v1/sections/{section_id}", section(id))),
  put_section: async (id = "") => {
    const held: Section = await read(api.GET("/api/v1/sections/{section_id}", section(id)));
    return read<Section>(api.PUT("/api/v1/sections/{section_id}", { ...section(id), body: held }));
  },
  update_section: (id = "") =>
    read<Section>(api.PATCH("/api/v1/sections/{section_id}", { ...section(id), body: { position: "i1" } })),
  delete_section: (id = "") => done(api.DELETE("/api/v1/sections/{section_id}", section(id))),
  restore_section: (id = "") => read<Section>(api.POST("/api/v1/sections/{section_id}/restore", section(id))),

  list_labels: async () =>
    (await read(api.GET("/api/v1/labels", { params: { query: { include_deleted: true } } }))).results,
  create_label: () => read<Label>(api.POST("/api/v1/labels", { body: { name: "urgent" } })),
  get_label: (id = "") => read<Label>(api.GET("/api/v1/labels/{label_id}", label(id))),
  put_label: async (id = "") => {
    const held: Label = await read(api.GET("/api/v1/labels/{label_id}", label(id)));
    const only_new = { params: { path: { label_id: id }, header: { "If-None-Match": "*" } } };
    return read<Label>(api.PUT("/api/v1/labels/{label_id}", { ...only_new, body: held }));
  },
  update_label: (id = "") => read<Label>(api.PATCH("/api/v1/labels/{label_id}", { ...label(id), body: { name: "x" } })),
  delete_label: (id = "") => done(api.DELETE("/api/v1/labels/{label_id}", label(id))),
  restore_label: (id = "") => read<Label>(api.POST("/api/v1/labels/{label_id}/restore", label(id))),

  list_filters: async () => (await read(api.GET("/api/v1/filters"))).results.filter((each) => each.is_pinned),
  create_filter: () =>
    read<SavedFilter>(api.POST("/api/v1/filters", { body: { name: "Soon", query: "due<today+7d" } })),
  get_filter: (id = "") => read<SavedFilter>(api.GET("/api/v1/filters/{filter_id}", saved(id))),
  put_filter: async (id = "") => {
    const held: SavedFilter = await read(api.GET("/api/v1/filters/{filter_id}", saved(id)));
    return read<SavedFilter>(api.PUT("/api/v1/filters/{filter_id}", { ...saved(id), body: held }));
  },
  update_filter: (id = "") =>
    read<SavedFilter>(api.PATCH("/api/v1/filters/{filter_id}", { ...saved(id), body: { is_pinned: true } })),
  delete_filter: (id = "") => done(api.DELETE("/api/v1/filters/{filter_id}", saved(id))),
  restore_filter: (id = "") => read<SavedFilter>(api.POST("/api/v1/filters/{filter_id}/restore", saved(id))),

  list_tasks: async (project_id = "") =>
    (await read(api.GET("/api/v1/tasks", { params: { query: { project_id, is_completed: false } } }))).results.map(line),
  create_task_from_text: async () => {
    const text = "pay rent every 1st at 9 #Home p1 @finance";
    const said = await read(
      api.POST("/api/v1/tasks/quick", { body: { text, time_zone: "Europe/Berlin", dry_run: true } }),
    );
    // a dry run has no id; spans count code points
    const parts = said.understood.map((each) => [...text].slice(each.start, each.end).join(""));
    return said.task.id ?? parts.concat(said.new_labels).join();
  },
  create_task: () =>
    read<Task>(
      api.POST("/api/v1/tasks", {
        body: {
          title: "Water the tomatoes",
          priority: 3,
          due: { at: "2026-11-30T09:00:00Z", time_zone: "Europe/Berlin" },
          recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO" },
          reminders: [{ offset_seconds: -900, relative_to: "due" }, { at: "2026-11-30T08:00:00Z" }],
        },
      }),
    ),
  get_task: async (id = "") => line(await read(api.GET("/api/v1/tasks/{task_id}", task(id)))),
  put_task: async (id = "") => {
    const held: Task = await read(api.GET("/api/v1/tasks/{task_id}", task(id)));
    return read<Task>(api.PUT("/api/v1/tasks/{task_id}", { ...task(id), body: { ...held, title: "Weed" } }));
  },
  update_task: (id = "") =>
    read<Task>(
      api.PATCH("/api/v1/tasks/{task_id}", {
        ...task(id),
        body: { due: { date: "2026-12-01" }, recurrence: null, description: null },
      }),
    ),
  delete_task: (id = "") => done(api.DELETE("/api/v1/tasks/{task_id}", task(id))),
  complete_task: async (id = "") =>
    (await read(api.POST("/api/v1/tasks/{task_id}/complete", task(id)))).next_task_id?.length,
  reopen_task: (id = "") => read<Task>(api.POST("/api/v1/tasks/{task_id}/reopen", task(id))),
  skip_task: (id = "") => read<Task>(api.POST("/api/v1/tasks/{task_id}/skip", task(id))),
  list_task_occurrences: async (task_id = "") =>
    (
      await read(api.GET("/api/v1/tasks/{task_id}/occurrences", { params: { path: { task_id }, query: { n: 3 } } }))
    ).results.map((each) => each.due),
  move_task: (id = "", after = "") => read<Task>(api.POST("/api/v1/tasks/{task_id}/move", { ...task(id), body: { after } })),
  restore_task: (id = "") => read<Task>(api.POST("/api/v1/tasks/{task_id}/restore", task(id))),

  list_comments: async (task_id = "") =>
    (await read(api.GET("/api/v1/comments", { params: { query: { task_id } } }))).results.map(
      (each: Comment) => [each.author_id?.length, each.text, each.mentions.length],
    ),
  create_comment: (task_id = "") =>
    read<Comment>(api.POST("/api/v1/comments", { body: { task_id, text: "Bob has a ladder." } })),
  get_comment: (id = "") => read<Comment>(api.GET("/api/v1/comments/{comment_id}", comment(id))),
  put_comment: async (id = "") => {
    const held: Comment = await read(api.GET("/api/v1/comments/{comment_id}", comment(id)));
    return read<Comment>(api.PUT("/api/v1/comments/{comment_id}", { ...comment(id), body: held }));
  },
  update_comment: (id = "") =>
    read<Comment>(api.PATCH("/api/v1/comments/{comment_id}", { ...comment(id), body: { text: "x", mentions: null } })),
  delete_comment: (id = "") => done(api.DELETE("/api/v1/comments/{comment_id}", comment(id))),
  restore_comment: (id = "") => read<Comment>(api.POST("/api/v1/comments/{comment_id}/restore", comment(id))),
  list_comment_history: async (id = "") =>
    (await read(api.GET("/api/v1/comments/{comment_id}/history", comment(id)))).results.map((each) => [each.at, each.text]),

  list_members: async (id = "") =>
    (await read(api.GET("/api/v1/projects/{project_id}/members", project(id)))).results.map((each) => each.role),
  get_member: (project_id = "", user_id = "") =>
    read(api.GET("/api/v1/projects/{project_id}/members/{user_id}", { params: { path: { project_id, user_id } } })),
  update_member: (project_id = "", user_id = "") =>
    read(
      api.PATCH("/api/v1/projects/{project_id}/members/{user_id}", {
        params: { path: { project_id, user_id } },
        body: { role: "editor" },
      }),
    ),
  remove_member: (project_id = "", user_id = "") =>
    done(api.DELETE("/api/v1/projects/{project_id}/members/{user_id}", { params: { path: { project_id, user_id } } })),
  transfer_project: (id = "", user_id = "") =>
    read<Project>(api.POST("/api/v1/projects/{project_id}/transfer", { ...project(id), body: { user_id } })),

  list_project_invitations: async (id = "") =>
    (await read(api.GET("/api/v1/projects/{project_id}/invitations", project(id)))).results.map((each) => each.email),
  create_invitation: (id = "") =>
    read<Invitation>(
      api.POST("/api/v1/projects/{project_id}/invitations", {
        ...project(id),
        body: { email: "bob@example.org", role: "editor" },
      }),
    ),
  list_invitations: async () =>
    (await read(api.GET("/api/v1/invitations"))).results.map((each) => [each.project_name, each.inviter_name]),
  get_invitation: (id = "") => read<Invitation>(api.GET("/api/v1/invitations/{invitation_id}", invitation(id))),
  revoke_invitation: (id = "") => done(api.DELETE("/api/v1/invitations/{invitation_id}", invitation(id))),
  accept_invitation: (id = "", token = "") =>
    read<Invitation>(api.POST("/api/v1/invitations/{invitation_id}/accept", { ...invitation(id), body: { token } })),
  decline_invitation: (id = "") =>
    read<Invitation>(api.POST("/api/v1/invitations/{invitation_id}/decline", { ...invitation(id), body: {} })),

  get_statistics: async () =>
    (await read(api.GET("/api/v1/stats", { params: { query: { days: 7 } } }))).days.map((day) => day.completed),
  list_notifications: async () =>
    (await read(api.GET("/api/v1/notifications", { params: { query: { is_read: false } } }))).results.map(
      (each) => `${each.kind} ${each.title ?? ""}`,
    ),
  get_notification_count: async () => (await read(api.GET("/api/v1/notifications/count"))).unread,
  mark_notifications_read: async (id = "") =>
    (await read(api.POST("/api/v1/notifications/read", { body: { ids: [id] } }))).unread,

  get_overview: async () => (await read(api.GET("/api/v1/overview"))).projects.map((each) => each.overdue),
  search: async (text = "") =>
    (await read(api.GET("/api/v1/search", { params: { query: { q: text, filter: "is:open" } } }))).results.map((each) =>
      each.snippet.marks.map(([start, end]) => [...each.snippet.text].slice(start, end).join("")),
    ),
  list_changes: async (since = "") => {
    const page = await read(api.GET("/api/v1/changes", { params: { query: { since, limit: 200 } } }));
    const gone = page.results.filter((each) => each.data === null).map((each) => `${each.kind} ${each.id}`);
    return page.has_more ? page.next_cursor : gone.join();
  },
  list_project_activity: async (id = "") =>
    (await read(api.GET("/api/v1/projects/{project_id}/activity", project(id)))).results.map((each) => each.actor_id),
  list_task_activity: async (id = "") =>
    (await read(api.GET("/api/v1/tasks/{task_id}/activity", task(id)))).results.map((each) => each.fields["title"]),

  undo_change: async (id = "") =>
    (await read(api.POST("/api/v1/undo", { body: { change_id: Number(id) } }))).results.map((each) => each.action),

  run_batch: async (id = "") => {
    const operations = [{ method: "PUT" as const, path: `/tasks/${id}`, body: { title: "Pack" } }];
    const { results } = await read(api.POST("/api/v1/batch", { body: { atomic: true, operations } }));
    return results.map((each) => each.etag ?? each.status);
  },

  import_ics: async () => {
    const form = new FormData();
    form.set("file", new Blob(["BEGIN:VCALENDAR…"]), "tasks.ics");
    // 201 is the report of a small file, 202 the job that imports a large one
    const answer = await read(api.POST("/api/v1/imports/ics", { body: { file: "" }, bodySerializer: () => form }));
    return "created" in answer ? answer.created + answer.skipped.length : answer.id.length;
  },
  get_import: async (id = "") => {
    const found = await read(api.GET("/api/v1/imports/{import_id}", { params: { path: { import_id: id } } }));
    return found.report === null ? found.progress : found.report.created;
  },
};
