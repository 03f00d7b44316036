// What the published types say of what is sent: a JSON Schema is made of this.
import type { HomeView, KnownBlock, ModalView } from "@slack/types";

export interface Drawn {
	blocks?: KnownBlock[];
	modal?: ModalView;
	home?: HomeView;
}
